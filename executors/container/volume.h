#pragma once
// `volumes:` of a container, as `docker create --volume` reads them. Pure.

#include <string>
#include <string_view>

#include "executors/base/result.h"

namespace drydock::container {

struct Volume {
  enum class Kind { path, named, anonymous };
  Kind kind = Kind::path;
  std::string source;  // absolute path of the machine, or a name
  std::string target;  // absolute, inside
  bool read_only = false;
  bool filled = true;  // when empty, with what the image has at the target; not for Kind::path

  friend bool operator==(const Volume&, const Volume&) = default;
};

bool is_volume_name(const std::string& text);

/// "/host:/inside:ro", "name:/inside:nocopy", "/inside".
Result<Volume> parse_volume(std::string_view text);

}  // namespace drydock::container
