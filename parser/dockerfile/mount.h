#pragma once
// One `RUN --mount=…`. Parsed twice: once unexpanded for `from`, once expanded for everything.
// Pure; thread-safe.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace drydock::parser::dockerfile {

struct Mount {
  enum class Type { bind, cache, tmpfs, secret, ssh };
  enum class Sharing { shared, private_, locked };
  Type type = Type::bind;
  std::string from;
  std::string source;
  std::string target;               // relative to the working directory when not absolute
  bool read_only = true;
  std::int64_t size_limit = 0;      // tmpfs, bytes; 0 without limit
  std::string id;                   // cache, secret, ssh; empty: see the build's rules
  Sharing sharing = Sharing::shared;
  bool required = false;            // secret, ssh
  std::optional<std::string> env;   // secret: variable to set; empty text means the id
  std::optional<std::uint32_t> mode, uid, gid;
};

struct ParsedMount {
  Mount mount;
  std::string error;     // empty on success
  std::string mend;
  std::string fragment;  // the field at fault
  bool ok() const { return error.empty(); }
};

/// Value of one field, or an error text in `error`.
struct ExpandedField {
  std::string value;
  std::string error;
};
using FieldExpander = std::function<ExpandedField(std::string_view)>;

/// Everything, each value expanded first.
ParsedMount parse_mount(std::string_view text, const FieldExpander& expander);
/// Only `from`, which takes no variables; when the text has no variable at all, everything.
ParsedMount parse_mount_unexpanded(std::string_view text);

std::string_view name_of(Mount::Type type);
std::string_view name_of(Mount::Sharing sharing);

}  // namespace drydock::parser::dockerfile
