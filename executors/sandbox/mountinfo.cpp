#include "executors/sandbox/mountinfo.h"

#include <sstream>

#include "executors/sandbox/files.h"

namespace drydock::sandbox {
namespace {

std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace

std::vector<MountedAt> parse_mountinfo(std::string_view text) {
  std::vector<MountedAt> mounts;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    MountedAt mount;
    std::string parent, device, options, field;
    if (!(fields >> mount.id >> parent >> device >> mount.root >> mount.target >> options)) continue;
    while (fields >> field && field != "-") {
    }
    fields >> mount.type >> mount.source;
    mount.root = unescaped(mount.root);
    mount.target = unescaped(mount.target);
    mount.source = unescaped(mount.source);
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

std::vector<MountedAt> current_mounts() { return parse_mountinfo(read_text("/proc/self/mountinfo")); }

}  // namespace drydock::sandbox
