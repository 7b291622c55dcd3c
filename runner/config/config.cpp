#include "runner/config/config.h"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <set>

#include "executors/base/fs.h"

namespace drydock::runner {

namespace {

std::string place(const std::string& file, const YAML::Mark& mark) {
  return file + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1) + ": ";
}

/// A mapping, each key handed to its setter; unknown keys and keys of the wrong trust are refused.
class Section {
 public:
  using Setter = std::function<Status(const YAML::Node&)>;
  Section(const std::string& file, ConfigTrust trust, std::string name)
      : file_(file), trust_(trust), name_(std::move(name)) {}

  Section& key(const std::string& key, ConfigTrust least, Setter setter) {
    keys_[key] = {least, std::move(setter)};
    return *this;
  }

  Status read(const YAML::Node& node) const {
    if (node.IsNull()) return {};
    if (!node.IsMap()) return wrong(node, (name_.empty() ? "the file" : "\"" + name_ + "\"") + " must be a mapping");
    std::set<std::string> seen;
    for (const auto& item : node) {
      const auto key = item.first.as<std::string>("");
      const auto found = keys_.find(key);
      const auto full = name_.empty() ? key : name_ + "." + key;
      if (!seen.insert(key).second) return wrong(item.first, "\"" + full + "\" is given twice");
      if (found == keys_.end()) return wrong(item.first, "unknown key \"" + full + "\"", known());
      if (trust_ == ConfigTrust::repository && found->second.least == ConfigTrust::user) {
        return wrong(item.first, "\"" + full + "\" cannot be set by a repository",
                     "put it into your own drydock.yaml, in ~/.config/drydock");
      }
      DRYDOCK_TRY(found->second.setter(item.second));
    }
    return {};
  }

  Error wrong(const YAML::Node& node, const std::string& what, std::string mend = {}) const {
    return make_error(ErrorCode::invalid_input, place(file_, node.Mark()) + what, std::move(mend));
  }

  Status boolean(const YAML::Node& node, bool& value) const {
    try {
      value = node.as<bool>();
      return {};
    } catch (const YAML::Exception&) {
      return wrong(node, "expected true or false");
    }
  }

  Status text(const YAML::Node& node, std::string& value) const {
    if (!node.IsScalar()) return wrong(node, "expected a text");
    value = node.Scalar();
    return {};
  }

  Status number(const YAML::Node& node, unsigned& value) const {
    try {
      value = node.as<unsigned>();
      return {};
    } catch (const YAML::Exception&) {
      return wrong(node, "expected a whole number");
    }
  }

 private:
  struct Key {
    ConfigTrust least;
    Setter setter;
  };
  std::string known() const {
    std::string list;
    for (const auto& [key, unused] : keys_) list += (list.empty() ? "" : ", ") + key;
    return "known here: " + list;
  }
  const std::string& file_;
  ConfigTrust trust_;
  std::string name_;
  std::map<std::string, Key> keys_;
};

Status read_registry(const std::string& file, const std::string& host, const YAML::Node& node,
                     RegistrySettings& settings) {
  Section section(file, ConfigTrust::user, "registries." + host);
  section.key("mirrors", ConfigTrust::user, [&](const YAML::Node& list) -> Status {
    if (!list.IsSequence()) return section.wrong(list, "expected a list of addresses");
    for (const auto& item : list) {
      const auto url = item.as<std::string>("");
      if (!url.starts_with("http://") && !url.starts_with("https://")) {
        return section.wrong(item, "\"" + url + "\" is no address", "write it as https://host or http://host:port");
      }
      settings.mirrors.push_back(url);
    }
    return {};
  });
  section.key("plain-http", ConfigTrust::user,
              [&](const YAML::Node& value) { return section.boolean(value, settings.plain_http); });
  return section.read(node);
}

Status read_registries(const std::string& file, const YAML::Node& node, Config& config) {
  if (!node.IsMap()) return make_error(ErrorCode::invalid_input, place(file, node.Mark()) + "\"registries\" must be a mapping");
  for (const auto& item : node) {
    const auto host = item.first.as<std::string>("");
    DRYDOCK_TRY(read_registry(file, host, item.second, config.registries[host]));
  }
  return {};
}

/// "10GiB", "500MB", "1073741824".
std::optional<std::uint64_t> parse_size(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc()) return std::nullopt;
  const std::map<std::string_view, std::uint64_t> units{
      {"", 1}, {"B", 1}, {"kB", 1'000}, {"MB", 1'000'000}, {"GB", 1'000'000'000}, {"TB", 1'000'000'000'000},
      {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}, {"TiB", 1ULL << 40}};
  const auto unit = units.find(std::string_view(text).substr(static_cast<std::size_t>(end - text.data())));
  // SQLite counts in 64 bits with a sign.
  if (unit == units.end() || number > static_cast<std::uint64_t>(INT64_MAX) / unit->second) return std::nullopt;
  return number * unit->second;
}

Status read_services(const std::string& file, ConfigTrust trust, const YAML::Node& node, ServiceLimits& limits) {
  const auto read = [&](const char* name, const YAML::Node& below, std::uint64_t& bytes, const char* days_key, int& days) {
    Section section(file, trust, name);
    section.key("max-size", ConfigTrust::user, [&](const YAML::Node& value) -> Status {
      const auto size = parse_size(value.IsScalar() ? value.Scalar() : "");
      if (!size) return section.wrong(value, "expected a size", "write it as 10GiB, 500MB or a number of bytes");
      bytes = *size;
      return {};
    });
    section.key(days_key, ConfigTrust::user, [&](const YAML::Node& value) -> Status {
      unsigned number = 0;
      DRYDOCK_TRY(section.number(value, number));
      constexpr unsigned k_most_days = 36500;
      if (number == 0 || number > k_most_days) return section.wrong(value, "expected 1 to 36500 days");
      days = static_cast<int>(number);
      return {};
    });
    return section.read(below);
  };
  Section services(file, trust, "services");
  services.key("cache", ConfigTrust::user,
               [&](const auto& n) { return read("services.cache", n, limits.cache_bytes, "unused-days", limits.cache_unused_days); })
      .key("artifacts", ConfigTrust::user,
           [&](const auto& n) { return read("services.artifacts", n, limits.artifact_bytes, "retention-days", limits.artifact_days); });
  return services.read(node);
}

/// Without the slash at its end.
Status read_address(const Section& section, const YAML::Node& node, std::string& address) {
  std::string text;
  DRYDOCK_TRY(section.text(node, text));
  while (text.ends_with('/')) text.pop_back();
  if (!text.starts_with("http://") && !text.starts_with("https://")) {
    return section.wrong(node, "\"" + text + "\" is no address", "write it as https://host");
  }
  address = std::move(text);
  return {};
}

Status read_root(const YAML::Node& root, const std::string& file, ConfigTrust trust, Config& config) {
  Section build(file, trust, "build");
  build.key("host-trust", ConfigTrust::user, [&](const auto& n) { return build.boolean(n, config.host_trust); })
      .key("host-registration", ConfigTrust::user,
           [&](const auto& n) { return build.boolean(n, config.host_registration); })
      .key("parallel", ConfigTrust::repository, [&](const auto& n) { return build.number(n, config.parallel); });
  Section store(file, trust, "store");
  store.key("path", ConfigTrust::user, [&](const auto& n) { return store.text(n, config.store); });
  Section run(file, trust, "run");
  run.key("isolation", ConfigTrust::user, [&](const auto& n) { return run.text(n, config.isolation); })
      .key("image", ConfigTrust::user, [&](const auto& n) { return run.text(n, config.image); })
      .key("node", ConfigTrust::user, [&](const auto& n) { return run.text(n, config.node); });
  Section actions(file, trust, "actions");
  actions.key("server", ConfigTrust::user, [&](const auto& n) { return read_address(actions, n, config.actions_server); })
      .key("api", ConfigTrust::user, [&](const auto& n) { return read_address(actions, n, config.actions_api); });
  Section all(file, trust, "");
  all.key("registries", ConfigTrust::user, [&](const auto& n) { return read_registries(file, n, config); })
      .key("build", ConfigTrust::repository, [&](const auto& n) { return build.read(n); })
      .key("store", ConfigTrust::user, [&](const auto& n) { return store.read(n); })
      .key("run", ConfigTrust::user, [&](const auto& n) { return run.read(n); })
      .key("actions", ConfigTrust::user, [&](const auto& n) { return actions.read(n); })
      .key("services", ConfigTrust::user, [&](const auto& n) { return read_services(file, trust, n, config.services); });
  return all.read(root);
}

std::optional<std::string> variable(const char* name) {
  const auto* value = std::getenv(name);
  if (!value || !*value) return std::nullopt;
  return value;
}

}  // namespace

Status read_config(const std::string& text, const std::string& file, ConfigTrust trust, Config& config) {
  try {
    const auto root = YAML::Load(text);
    DRYDOCK_TRY(read_root(root, file, trust, config));
  } catch (const YAML::Exception& e) {
    return make_error(ErrorCode::invalid_input, place(file, e.mark) + e.msg);
  }
  config.files.push_back(file);
  return {};
}

Result<Config> load_config(const std::string& repository) {
  Config config;
  if (const auto named = variable("DRYDOCK_CONFIG")) {
    DRYDOCK_ASSIGN(const auto text, read_file(*named));
    DRYDOCK_TRY(read_config(text, *named, ConfigTrust::user, config));
  } else {
    const auto home = variable("XDG_CONFIG_HOME").value_or(variable("HOME").value_or("") + "/.config");
    const auto path = home + "/drydock/drydock.yaml";
    DRYDOCK_ASSIGN(const auto text, read_file_if_exists(path));
    if (text) DRYDOCK_TRY(read_config(*text, path, ConfigTrust::user, config));
  }
  if (!repository.empty()) {
    const auto path = repository + "/drydock.yaml";
    DRYDOCK_ASSIGN(const auto text, read_file_if_exists(path));
    if (text) DRYDOCK_TRY(read_config(*text, path, ConfigTrust::repository, config));
  }
  return config;
}

}  // namespace drydock::runner
