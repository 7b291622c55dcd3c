#include "executors/container/create_options.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <map>
#include <tuple>

#include "executors/step/shell.h"

namespace drydock::container {
namespace {

using Reader = std::function<bool(CreateOptions&, const std::string&)>;

std::pair<std::string, std::string> split_at(const std::string& text, char mark) {
  const auto at = text.find(mark);
  if (at == std::string::npos) return {text, ""};
  return {text.substr(0, at), text.substr(at + 1)};
}

std::string capability(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  return name == "ALL" || name.starts_with("CAP_") ? name : "CAP_" + name;
}

template <class Number>
bool read_number(const std::string& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool read_env(CreateOptions& options, const std::string& value) {
  if (value.find('=') == std::string::npos) options.unset_env.push_back(value);
  else options.env.push_back(split_at(value, '='));
  return !value.empty() && value[0] != '=';
}

bool read_host(CreateOptions& options, const std::string& value) {
  auto pair = split_at(value, value.find('=') == std::string::npos ? ':' : '=');
  const bool good = !pair.first.empty() && !pair.second.empty();
  options.add_hosts.push_back(std::move(pair));
  return good;
}

bool read_tmpfs(CreateOptions& options, const std::string& value) {
  auto [path, rest] = split_at(value, ':');
  TmpfsOption tmpfs{path, {}};
  while (!rest.empty()) {
    auto [one, more] = split_at(rest, ',');
    if (!one.empty()) tmpfs.options.push_back(one);
    rest = more;
  }
  options.tmpfs.push_back(std::move(tmpfs));
  return path.starts_with('/');
}

bool read_ulimit(CreateOptions& options, const std::string& value) {
  auto limit = sandbox::parse_ulimit(value);
  if (limit) options.ulimits.push_back(std::move(*limit));
  return limit.ok();
}

bool read_platform(CreateOptions& options, const std::string& value) {
  auto platform = parse_platform(value);
  if (platform) options.platform = *platform;
  return platform.ok();
}

/// "type=volume,source=data,target=/data,readonly".
bool read_mount(CreateOptions& options, const std::string& value) {
  std::string type = "volume", rest = value;
  Volume volume{Volume::Kind::anonymous, "", "", false};
  TmpfsOption tmpfs;
  while (!rest.empty()) {
    auto [field, more] = split_at(rest, ',');
    rest = more;
    const auto [name, given] = split_at(field, '=');
    if (name == "type") type = given;
    else if (name == "source" || name == "src") volume.source = given;
    else if (name == "target" || name == "destination" || name == "dst") volume.target = tmpfs.path = given;
    else if (name == "readonly" || name == "ro") volume.read_only = given.empty() || given == "true" || given == "1";
    else if (name == "volume-nocopy") volume.filled = !(given.empty() || given == "true" || given == "1");
    else if (name == "tmpfs-size") tmpfs.options.push_back("size=" + given);
    else if (name == "tmpfs-mode") tmpfs.options.push_back("mode=" + given);
    else return false;
  }
  if (!volume.target.starts_with('/')) return false;
  if (type == "tmpfs") return options.tmpfs.push_back(std::move(tmpfs)), volume.source.empty();
  if (type == "bind") volume.kind = Volume::Kind::path;
  else if (type == "volume" && !volume.source.empty()) volume.kind = Volume::Kind::named;
  else if (type != "volume") return false;
  const bool good = volume.kind == Volume::Kind::path ? volume.source.starts_with('/') : is_volume_name(volume.source) || volume.source.empty();
  options.mounts.push_back(std::move(volume));
  return good;
}

/// Confinement by AppArmor and SELinux is none of ours to switch off.
bool read_security(CreateOptions& options, const std::string& value) {
  const auto [name, given] = split_at(value, value.find('=') == std::string::npos ? ':' : '=');
  if (name == "no-new-privileges") return options.no_new_privileges = given != "false", given.empty() || given == "true" || given == "false";
  if (name == "seccomp") return options.unfiltered = given == "unconfined";
  return name == "apparmor" || name == "label";
}

/// "/dev/fuse", "/dev/sda:/dev/xvda", "/dev/sda:/dev/xvda:r", "/dev/sda:r".
bool read_device(CreateOptions& options, const std::string& value) {
  auto [source, rest] = split_at(value, ':');
  sandbox::ContainerDevice device{source, source};
  if (rest.starts_with('/')) std::tie(device.destination, rest) = split_at(rest, ':');
  if (!rest.empty()) device.access = rest;
  const bool good = source.starts_with("/dev/") && device.access.find_first_not_of("rwm") == std::string::npos;
  options.devices.push_back(std::move(device));
  return good;
}

Reader duration(std::optional<std::chrono::milliseconds> HealthOptions::* member) {
  return [member](CreateOptions& options, const std::string& value) {
    options.health.*member = parse_duration(value);
    return (options.health.*member).has_value();
  };
}

template <class Member>
Reader text(Member member) {
  return [member](CreateOptions& options, const std::string& value) {
    options.*member = value;
    return !value.empty();
  };
}

template <class Member>
Reader list(Member member) {
  return [member](CreateOptions& options, const std::string& value) {
    (options.*member).push_back(value);
    return !value.empty();
  };
}

Reader size(std::uint64_t CreateOptions::* member) {
  return [member](CreateOptions& options, const std::string& value) {
    const auto bytes = parse_size(value);
    options.*member = bytes.value_or(0);
    return bytes && *bytes > 0;
  };
}

const std::map<std::string, Reader>& with_value() {
  const auto something = [](CreateOptions&, const std::string& value) { return !value.empty(); };
  static const std::map<std::string, Reader> table = {
      {"--health-cmd", [](CreateOptions& o, const std::string& v) { return (o.health.command = v), true; }},
      {"--health-interval", duration(&HealthOptions::interval)},
      {"--health-timeout", duration(&HealthOptions::timeout)},
      {"--health-start-period", duration(&HealthOptions::start_period)},
      {"--health-start-interval", duration(&HealthOptions::start_interval)},
      {"--health-retries", [](CreateOptions& o, const std::string& v) { return read_number(v, o.health.retries.emplace()); }},
      {"--name", text(&CreateOptions::name)},
      {"--hostname", text(&CreateOptions::hostname)},
      {"--network-alias", list(&CreateOptions::aliases)},
      {"--user", text(&CreateOptions::user)},
      {"--workdir", text(&CreateOptions::directory)},
      {"--entrypoint", text(&CreateOptions::entrypoint)},
      {"--env", read_env},
      {"--label", [](CreateOptions& o, const std::string& v) { return o.labels.push_back(split_at(v, '=')), true; }},
      {"--volume", list(&CreateOptions::volumes)},
      {"--publish", list(&CreateOptions::ports)},
      {"--add-host", read_host},
      {"--dns", list(&CreateOptions::dns)},
      {"--dns-search", list(&CreateOptions::dns_search)},
      {"--tmpfs", read_tmpfs},
      {"--ulimit", read_ulimit},
      {"--cap-add", [](CreateOptions& o, const std::string& v) { return o.cap_add.push_back(capability(v)), !v.empty(); }},
      {"--cap-drop", [](CreateOptions& o, const std::string& v) { return o.cap_drop.push_back(capability(v)), !v.empty(); }},
      {"--platform", read_platform},
      {"--mount", read_mount},
      {"--security-opt", read_security},
      {"--device", read_device},
      {"--group-add", list(&CreateOptions::groups)},
      {"--sysctl", [](CreateOptions& o, const std::string& v) { return o.sysctl.push_back(split_at(v, '=')), v.find('=') != std::string::npos; }},
      {"--pids-limit", [](CreateOptions& o, const std::string& v) { return read_number(v, o.processes); }},
      {"--memory", size(&CreateOptions::memory)},
      {"--shm-size", size(&CreateOptions::shm_size)},
      {"--cpus", [](CreateOptions& o, const std::string& v) { return read_number(v, o.cpus) && o.cpus > 0; }},
      // Images say themselves which ports they serve, and containers of a job see each other whole.
      {"--expose", something},
      // An image is brought once a job, a container is started once, and its end is the job's.
      {"--pull", something},
      {"--restart", something},
      {"--stop-signal", something},
      {"--stop-timeout", something},
  };
  return table;
}

/// Flags without a value; those that do nothing hold here anyway: every container has an init and ends with its job.
const std::map<std::string, Reader>& without_value() {
  const auto nothing = [](CreateOptions&, const std::string&) { return true; };
  static const std::map<std::string, Reader> table = {
      {"--privileged", [](CreateOptions& o, const std::string&) { return o.privileged = true; }},
      {"--read-only", [](CreateOptions& o, const std::string&) { return o.read_only = true; }},
      {"--no-healthcheck", [](CreateOptions& o, const std::string&) { return o.health.none = true; }},
      {"--init", nothing},
      {"--rm", nothing},
      {"--interactive", nothing},
      {"--tty", nothing},
  };
  return table;
}

std::string long_name(const std::string& flag) {
  static const std::map<std::string, std::string> table = {
      {"-e", "--env"},  {"-v", "--volume"}, {"-p", "--publish"}, {"-u", "--user"},        {"-w", "--workdir"},
      {"-h", "--hostname"}, {"-m", "--memory"}, {"-l", "--label"}, {"-i", "--interactive"}, {"-t", "--tty"}, {"--net", "--network"},
      {"--net-alias", "--network-alias"}};
  const auto found = table.find(flag);
  return found == table.end() ? flag : found->second;
}

Error refused(const std::string& flag, ContainerRole role) {
  if (flag == "--network") {
    return make_error(ErrorCode::unsupported, "options: --network is not supported, here as on GitHub",
                      "leave it out: every container of the job is in the job's own network");
  }
  if (flag == "--entrypoint" && role == ContainerRole::job) {
    return make_error(ErrorCode::unsupported, "options: --entrypoint is not supported for a job's container, as on GitHub",
                      "leave it out: the steps are what runs in it");
  }
  if (flag == "--ipc") {
    return make_error(ErrorCode::unsupported, "options: --ipc is not supported",
                      "leave it out; for a browser that wants more shared memory write --shm-size 2g");
  }
  return make_error(ErrorCode::unsupported, "options: " + flag + " is not supported",
                    "leave it out; supported are --health-*, --env, --user, --volume, --publish, --network-alias and "
                    "others that docs/containers.md lists");
}

/// "--name=value", "-e=value", "-eNAME=value" and "--name value".
struct Flag {
  std::string name;
  std::optional<std::string> value;
};

Flag take_apart(const std::string& word) {
  if (word.starts_with("--")) {
    const auto at = word.find('=');
    if (at == std::string::npos) return {long_name(word), {}};
    return {long_name(word.substr(0, at)), word.substr(at + 1)};
  }
  Flag flag{long_name(word.substr(0, 2)), {}};
  if (word.size() > 2) flag.value = word.substr(word[2] == '=' ? 3 : 2);
  return flag;
}

std::optional<bool> truth_of(const std::string& text) {
  for (const auto* yes : {"true", "True", "TRUE", "1", "t", "T"}) {
    if (text == yes) return true;
  }
  for (const auto* no : {"false", "False", "FALSE", "0", "f", "F"}) {
    if (text == no) return false;
  }
  return {};
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit(end, text.data() + text.size());
  std::transform(unit.begin(), unit.end(), unit.begin(), [](unsigned char c) { return std::tolower(c); });
  if (error != std::errc()) return {};
  if (unit.ends_with('b') && unit.size() > 1) unit.pop_back();
  static const std::map<std::string, int> shifts = {{"", 0}, {"b", 0}, {"k", 10}, {"m", 20}, {"g", 30}, {"t", 40}};
  const auto shift = shifts.find(unit);
  if (shift == shifts.end() || number > (~0ull >> shift->second)) return {};
  return number << shift->second;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text.empty()) return {};
  if (text == "0") return std::chrono::milliseconds(0);
  double milliseconds = 0;
  while (!text.empty()) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number < 0) return {};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    static constexpr std::pair<std::string_view, double> k_units[] = {
        {"ms", 1}, {"us", 0.001}, {"ns", 0.000001}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    const auto* unit = std::find_if(std::begin(k_units), std::end(k_units),
                                    [&](const auto& u) { return text.starts_with(u.first); });
    if (unit == std::end(k_units)) return {};
    milliseconds += number * unit->second;
    text.remove_prefix(unit->first.size());
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds));
}

Result<CreateOptions> parse_create_options(std::string_view text, ContainerRole role) {
  CreateOptions options;
  auto words = step::split_arguments(text);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].size() < 2 || words[i][0] != '-') {
      return make_error(ErrorCode::invalid_input, "options: '" + words[i] + "' is no flag",
                        "quote a value that has blanks in it: --health-cmd \"redis-cli ping\"");
    }
    Flag flag = take_apart(words[i]);
    if (const auto found = without_value().find(flag.name); found != without_value().end()) {
      const bool joined = !words[i].starts_with("--") && flag.value && words[i][2] != '=';  // "-it"
      const auto answer = joined ? std::optional(true) : truth_of(flag.value.value_or("true"));
      if (!answer) return make_error(ErrorCode::invalid_input, "options: '" + *flag.value + "' is no value for " + flag.name);
      if (*answer) found->second(options, "");
      if (joined) words[i--] = "-" + *flag.value;
      continue;
    }
    const auto found = with_value().find(flag.name);
    if (found == with_value().end() || (flag.name == "--entrypoint" && role == ContainerRole::job)) {
      return refused(flag.name, role);
    }
    if (!flag.value && i + 1 < words.size()) flag.value = words[++i];
    if (!flag.value) return make_error(ErrorCode::invalid_input, "options: " + flag.name + " needs a value");
    if (!found->second(options, *flag.value)) {
      return make_error(ErrorCode::invalid_input, "options: '" + *flag.value + "' is no value for " + flag.name);
    }
  }
  return options;
}

std::vector<std::string> reaching_out(const std::vector<std::string>& capabilities) {
  static const std::vector<std::string> k_reaching = {
      "ALL",           "CAP_AUDIT_CONTROL", "CAP_AUDIT_READ", "CAP_BLOCK_SUSPEND", "CAP_BPF",        "CAP_CHECKPOINT_RESTORE",
      "CAP_DAC_READ_SEARCH", "CAP_MAC_ADMIN", "CAP_MAC_OVERRIDE", "CAP_PERFMON",   "CAP_SYS_ADMIN",  "CAP_SYS_BOOT",
      "CAP_SYS_MODULE", "CAP_SYS_PACCT",    "CAP_SYS_RAWIO",  "CAP_SYS_TIME",      "CAP_SYS_TTY_CONFIG", "CAP_SYSLOG", "CAP_WAKE_ALARM"};
  std::vector<std::string> found;
  for (const auto& name : capabilities) {
    if (std::find(k_reaching.begin(), k_reaching.end(), name) != k_reaching.end()) found.push_back(name);
  }
  return found;
}

std::vector<std::string> capabilities_with(const std::vector<std::string>& add, const std::vector<std::string>& drop) {
  const auto has = [](const auto& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::vector<std::string> kept;
  if (has(add, "ALL")) kept = sandbox::all_capabilities();
  else if (!has(drop, "ALL")) kept = sandbox::standard_capabilities();
  std::erase_if(kept, [&](const std::string& name) { return has(drop, name); });
  for (const auto& name : add) {
    if (name != "ALL" && !has(kept, name)) kept.push_back(name);
  }
  return kept;
}

}  // namespace drydock::container
