#include "parser/dockerfile/mount.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "parser/dockerfile/text.h"

namespace drydock::parser::dockerfile {

namespace {

constexpr std::array<std::pair<std::string_view, Mount::Type>, 5> k_types{{{"bind", Mount::Type::bind},
                                                                          {"cache", Mount::Type::cache},
                                                                          {"tmpfs", Mount::Type::tmpfs},
                                                                          {"secret", Mount::Type::secret},
                                                                          {"ssh", Mount::Type::ssh}}};
constexpr std::array<std::pair<std::string_view, Mount::Sharing>, 3> k_sharings{
    {{"shared", Mount::Sharing::shared}, {"private", Mount::Sharing::private_}, {"locked", Mount::Sharing::locked}}};
const std::vector<std::string> k_keys{"type", "from",  "source", "src", "target", "dst",      "destination",
                                      "ro",   "rw",    "id",     "uid", "gid",    "readonly", "readwrite",
                                      "mode", "size",  "env",    "sharing", "required"};

struct MountFailure {
  std::string message;
  std::string mend;
};

// One record of CSV; quotes may surround a field, a doubled quote stands for one.
std::vector<std::string> csv_fields(std::string_view text) {
  std::vector<std::string> fields;
  std::string field;
  for (std::size_t i = 0;; ++i) {
    if (i < text.size() && text[i] == '"' && field.empty()) {
      for (++i;; ++i) {
        if (i >= text.size()) throw MountFailure{"a double quote in the mount is not closed", "close the quote"};
        if (text[i] != '"') {
          field += text[i];
        } else if (i + 1 < text.size() && text[i + 1] == '"') {
          field += text[i++];
        } else {
          break;
        }
      }
      continue;
    }
    if (i >= text.size() || text[i] == ',') {
      fields.push_back(std::exchange(field, {}));
      if (i >= text.size()) return fields;
      continue;
    }
    if (text[i] == '"') throw MountFailure{"a double quote must stand at the start of a field", "quote the whole field"};
    field += text[i];
  }
}

std::string suggestion(std::string_view value, const std::vector<std::string>& options) {
  const auto near = near_miss(value, options, Case::ignored);
  return near.empty() ? "use one of: " + join(options, ", ") : "did you mean " + near + "?";
}

template <class Table>
auto choose(const Table& table, std::string_view what, std::string_view value) {
  std::vector<std::string> options;
  for (const auto& [name, choice] : table) {
    if (lower(value) == name) return choice;
    options.emplace_back(name);
  }
  throw MountFailure{"unsupported " + std::string(what) + " \"" + std::string(value) + "\"", suggestion(value, options)};
}

bool boolean(std::string_view key, std::string_view value) {
  constexpr std::array<std::string_view, 6> k_true{"1", "t", "T", "true", "TRUE", "True"};
  constexpr std::array<std::string_view, 6> k_false{"0", "f", "F", "false", "FALSE", "False"};
  for (const auto text : k_true) {
    if (value == text) return true;
  }
  for (const auto text : k_false) {
    if (value == text) return false;
  }
  throw MountFailure{"\"" + std::string(value) + "\" is no boolean for " + std::string(key), "use true or false"};
}

std::uint32_t number(std::string_view key, std::string_view value, int base) {
  std::uint32_t result = 0;
  const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), result, base);
  if (code != std::errc{} || end != value.data() + value.size()) {
    throw MountFailure{"invalid value \"" + std::string(value) + "\" for " + std::string(key),
                  base == 8 ? "use an octal number such as 0755" : "use a number"};
  }
  return result;
}

// "64m", "1.5GiB", "1024": powers of 1024 whatever the unit's spelling.
std::int64_t bytes(std::string_view value) {
  const MountFailure wrong{"invalid value \"" + std::string(value) + "\" for size", "use a number with b, k, m, g, t or p"};
  const auto digits = value.find_first_not_of("0123456789.");
  const auto amount_text = std::string(value.substr(0, digits));
  auto unit = lower(trim(digits == std::string_view::npos ? std::string_view{} : value.substr(digits)));
  if (amount_text.empty() || amount_text.find_first_of("0123456789") == std::string::npos ||
      amount_text.find('.') != amount_text.rfind('.')) {
    throw wrong;
  }
  if (unit.size() > 1 && unit.ends_with("ib")) unit.resize(unit.size() - 2);
  if (unit.size() > 1 && unit.ends_with("b")) unit.resize(unit.size() - 1);
  constexpr std::string_view k_units = "bkmgtp";
  const auto power = unit.empty() ? 0 : unit.size() == 1 ? k_units.find(unit[0]) : std::string_view::npos;
  if (power == std::string_view::npos) throw wrong;
  double amount = 0;
  const auto [end, code] = std::from_chars(amount_text.data(), amount_text.data() + amount_text.size(), amount);
  if (code != std::errc{} || end != amount_text.data() + amount_text.size()) throw wrong;
  const double total = amount * std::pow(1024.0, static_cast<double>(power));
  if (total >= 9.2e18) throw wrong;
  return static_cast<std::int64_t>(total);
}

enum class Access { automatic, read_only, read_write };

struct Fields {
  Mount mount;
  Access access = Access::automatic;
  bool sharing_given = false;
};

void need_type(const Fields& fields, std::string_view key, bool allowed) {
  if (allowed) return;
  throw MountFailure{"\"" + std::string(key) + "\" is not allowed for a mount of type " +
                    std::string(name_of(fields.mount.type)),
                "type= must come before the keys of that type"};
}

bool takes_required(const Mount& mount) {
  return mount.type == Mount::Type::secret || mount.type == Mount::Type::ssh;
}

void apply_flag(Fields& fields, std::string_view key, std::string_view field) {
  if (key == "readonly" || key == "ro") {
    fields.access = Access::read_only;
  } else if (key == "readwrite" || key == "rw") {
    fields.access = Access::read_write;
  } else if (key == "required") {
    need_type(fields, key, takes_required(fields.mount));
    fields.mount.required = true;
  } else {
    throw MountFailure{"\"" + std::string(field) + "\" must be key=value", suggestion(key, k_keys)};
  }
}

void apply(Fields& fields, std::string_view key, std::string_view value) {
  Mount& mount = fields.mount;
  if (key == "type") {
    mount.type = choose(k_types, "mount type", value);
  } else if (key == "from") {
    mount.from = value;
  } else if (key == "source" || key == "src") {
    mount.source = value;
  } else if (key == "target" || key == "dst" || key == "destination") {
    mount.target = value;
  } else if (key == "readonly" || key == "ro") {
    fields.access = boolean(key, value) ? Access::read_only : Access::read_write;
  } else if (key == "readwrite" || key == "rw") {
    fields.access = boolean(key, value) ? Access::read_write : Access::read_only;
  } else if (key == "required") {
    need_type(fields, key, takes_required(mount));
    mount.required = boolean(key, value);
  } else if (key == "size") {
    need_type(fields, key, mount.type == Mount::Type::tmpfs);
    mount.size_limit = bytes(value);
  } else if (key == "id") {
    mount.id = value;
  } else if (key == "sharing") {
    mount.sharing = choose(k_sharings, "sharing", value);
    fields.sharing_given = true;
  } else if (key == "mode") {
    mount.mode = number(key, value, 8);
  } else if (key == "uid") {
    mount.uid = number(key, value, 10);
  } else if (key == "gid") {
    mount.gid = number(key, value, 10);
  } else if (key == "env") {
    mount.env = value;
  } else {
    throw MountFailure{"unexpected key \"" + std::string(key) + "\" in a mount", suggestion(key, k_keys)};
  }
}

void check_whole(Fields& fields) {
  Mount& mount = fields.mount;
  const bool owned = takes_required(mount) || mount.type == Mount::Type::cache;
  const auto refuse_owner = [&](std::string_view key, bool given) {
    if (given && !owned) {
      throw MountFailure{std::string(key) + " is not allowed for a mount of type " + std::string(name_of(mount.type)),
                    "only cache, secret and ssh mounts have an owner and a mode"};
    }
  };
  refuse_owner("mode", mount.mode.has_value());
  refuse_owner("uid", mount.uid.has_value());
  refuse_owner("gid", mount.gid.has_value());
  const bool writable = mount.type == Mount::Type::cache || mount.type == Mount::Type::tmpfs;
  mount.read_only = fields.access == Access::automatic ? !writable : fields.access == Access::read_only;
  if (mount.type == Mount::Type::secret) {
    if (!mount.from.empty()) throw MountFailure{"a secret mount takes no from", "leave from= out"};
    if (mount.source.empty() && mount.target.empty() && mount.id.empty()) {
      throw MountFailure{"a secret mount needs id or target", "add id=NAME"};
    }
    if (!mount.source.empty() && !mount.id.empty()) {
      throw MountFailure{"a secret mount takes id or source, not both", "leave one of them out"};
    }
  }
  if (fields.sharing_given && mount.type != Mount::Type::cache) {
    throw MountFailure{"sharing is for cache mounts, this one is of type " + std::string(name_of(mount.type)),
                  "leave sharing= out"};
  }
}

void refuse_variable_from(std::string_view value) {
  const auto dollar = value.find('$');
  if (dollar == std::string_view::npos || dollar + 1 == value.size()) return;
  throw MountFailure{"from= of a mount takes no variables",
                "name a stage with FROM …${ARG}… AS name, and write from=name"};
}

enum class Depth { from_only, whole };

ParsedMount parse(std::string_view text, const FieldExpander& expander, Depth depth) {
  ParsedMount result;
  Fields fields;
  try {
    for (const auto& field : csv_fields(text)) {
      result.fragment = field;
      const auto equals = field.find('=');
      const auto key = lower(std::string_view(field).substr(0, equals));
      if (equals == std::string::npos) {
        if (depth == Depth::whole) apply_flag(fields, key, field);
        continue;
      }
      std::string value = field.substr(equals + 1);
      if (key == "from") refuse_variable_from(value);
      if (depth == Depth::from_only && key != "from") continue;
      if (expander) {
        auto expanded = expander(value);
        if (!expanded.error.empty()) throw MountFailure{expanded.error, ""};
        value = std::move(expanded.value);
      }
      apply(fields, key, value);
    }
    result.fragment = text;
    if (depth == Depth::whole) check_whole(fields);
  } catch (const MountFailure& failure) {
    result.error = failure.message;
    result.mend = failure.mend;
  }
  result.mount = std::move(fields.mount);
  return result;
}

}  // namespace

ParsedMount parse_mount(std::string_view text, const FieldExpander& expander) {
  return parse(text, expander, Depth::whole);
}

ParsedMount parse_mount_unexpanded(std::string_view text) {
  const bool plain = text.find_first_of("$'\"\\`") == std::string_view::npos;
  return parse(text, {}, plain ? Depth::whole : Depth::from_only);
}

std::string_view name_of(Mount::Type type) {
  for (const auto& [name, value] : k_types) {
    if (value == type) return name;
  }
  return "bind";
}

std::string_view name_of(Mount::Sharing sharing) {
  for (const auto& [name, value] : k_sharings) {
    if (value == sharing) return name;
  }
  return "shared";
}

}  // namespace drydock::parser::dockerfile
