#include "tests/executors/oci/store_support.h"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <cstring>
#include <sstream>

namespace drydock::oci::testing {
namespace {

std::string attributes(const std::string& path) {
  std::string names(4096, '\0'), text;
  auto size = ::llistxattr(path.c_str(), names.data(), names.size());
  std::map<std::string, std::string> sorted;
  for (const char* name = names.data(); size > 0 && name < names.data() + size; name += std::strlen(name) + 1) {
    if (std::string_view(name).starts_with("trusted.")) continue;
    std::string value(4096, '\0');
    auto length = ::lgetxattr(path.c_str(), name, value.data(), value.size());
    sorted[name] = value.substr(0, static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  }
  for (const auto& [name, value] : sorted) text += " " + name + "=" + digest_of(value).to_string().substr(7, 8);
  return text;
}

}  // namespace

std::map<std::string, std::string> describe_tree(const std::string& root, Links links) {
  std::map<std::string, std::string> lines;
  std::map<std::pair<dev_t, ino_t>, std::string> groups;
  std::vector<std::string> paths;
  for (const auto& item : fs::recursive_directory_iterator(root)) paths.push_back(item.path().string());
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    std::ostringstream line;
    bool directory = S_ISDIR(status.st_mode);
    line << std::oct << status.st_mode << std::dec << " " << status.st_uid << ":" << status.st_gid << " t"
         << status.st_mtim.tv_sec;
    if (S_ISLNK(status.st_mode)) line << " -> " << fs::read_symlink(path).string();
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) line << " dev " << status.st_rdev;
    auto relative = path.substr(root.size() + 1);
    if (S_ISREG(status.st_mode)) {
      line << " " << status.st_size << " " << must(digest_of_file(path)).to_string().substr(7, 16);
    }
    if (links == Links::shown && !directory && status.st_nlink > 1) {
      line << " = " << groups.emplace(std::pair(status.st_dev, status.st_ino), relative).first->second;
    }
    lines[relative] = line.str() + attributes(path);
  }
  return lines;
}

std::string difference(const std::map<std::string, std::string>& a, const std::map<std::string, std::string>& b) {
  std::string text;
  for (const auto& [path, line] : a) {
    auto other = b.find(path);
    if (other == b.end()) text += "- " + path + " " + line + "\n";
    if (other != b.end() && other->second != line) text += "! " + path + " " + line + " | " + other->second + "\n";
  }
  for (const auto& [path, line] : b) {
    if (!a.contains(path)) text += "+ " + path + " " + line + "\n";
  }
  return text;
}

Overlay::Overlay(const std::vector<std::string>& lower, const std::string& upper, const std::string& work,
                 const std::string& target)
    : target_(target) {
  std::string options = "redirect_dir=off,metacopy=off,index=off,lowerdir=";
  for (std::size_t i = 0; i < lower.size(); ++i) options += (i ? ":" : "") + lower[i];
  if (!upper.empty()) options += ",upperdir=" + upper + ",workdir=" + work;
  fs::create_directories(target);
  mounted_ = ::mount("overlay", target.c_str(), "overlay", 0, options.c_str()) == 0;
}

Overlay::~Overlay() {
  if (mounted_) ::umount2(target_.c_str(), MNT_DETACH);
}

}  // namespace drydock::oci::testing
