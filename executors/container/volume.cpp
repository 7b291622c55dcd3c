#include "executors/container/volume.h"

#include <algorithm>
#include <cctype>
#include <vector>

namespace drydock::container {
namespace {

std::vector<std::string> split(std::string_view text, char mark) {
  std::vector<std::string> parts;
  for (;;) {
    const auto at = text.find(mark);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

}  // namespace

bool is_volume_name(const std::string& text) {
  return !text.empty() && std::isalnum(static_cast<unsigned char>(text[0])) &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) || c == '_' || c == '.' || c == '-';
         });
}

Result<Volume> parse_volume(std::string_view text) {
  const auto wrong = [text](const std::string& why) {
    return make_error(ErrorCode::invalid_input, "volumes: '" + std::string(text) + "' " + why,
                      "write /on/machine:/inside, /on/machine:/inside:ro, name:/inside or /inside");
  };
  const auto parts = split(text, ':');
  Volume volume;
  if (parts.size() > 3) return wrong("has too many parts");
  if (parts.size() == 1) {
    volume.kind = Volume::Kind::anonymous;
    volume.target = parts[0];
  } else {
    volume.source = parts[0];
    volume.target = parts[1];
    if (!volume.source.starts_with('/')) {
      volume.kind = Volume::Kind::named;
      if (!is_volume_name(volume.source)) return wrong("names neither an absolute path nor a volume");
    }
  }
  if (!volume.target.starts_with('/')) return wrong("has no absolute path inside");
  if (parts.size() < 3) return volume;
  for (const auto& option : split(parts[2], ',')) {
    // What follows concerns machines with SELinux, sharing of mounts, and consistency on other systems.
    static const std::vector<std::string> harmless = {"rw", "z", "Z", "cached", "delegated", "consistent", "rprivate", "private"};
    if (option == "ro") volume.read_only = true;
    else if (option == "nocopy") volume.filled = false;
    else if (std::find(harmless.begin(), harmless.end(), option) == harmless.end()) {
      return wrong("has the option '" + option + "', which is not supported");
    }
  }
  return volume;
}

}  // namespace drydock::container
