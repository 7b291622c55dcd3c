#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <deque>

#include "executors/base/fs.h"

namespace drydock {
namespace {

std::vector<std::string> parts_of(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const auto slash = path.find('/');
    const auto part = path.substr(0, slash);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return parts;
}

std::string below(const std::string& root, const std::vector<std::string>& parts) {
  std::string path = root;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (path == "/" && !parts.empty()) path.clear();
  for (const auto& part : parts) path += "/" + part;
  return path;
}

Error outside(std::string_view path, const std::string& root) {
  return make_error(ErrorCode::invalid_input, "path \"" + std::string(path) + "\" leads outside of " + root);
}

}  // namespace

std::string normal_path(std::string_view path) {
  const bool absolute = path.starts_with('/');
  std::vector<std::string> kept;
  for (auto& part : parts_of(path)) {
    if (part != "..") {
      kept.push_back(std::move(part));
    } else if (!kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (!absolute) {
      kept.push_back("..");
    }
  }
  std::string out;
  for (const auto& part : kept) {
    if (absolute || !out.empty()) out += '/';
    out += part;
  }
  if (out.empty()) return absolute ? "/" : ".";
  return out;
}

Result<std::string> join_inside(const std::string& root, std::string_view untrusted) {
  if (untrusted.find('\0') != std::string_view::npos) {
    return make_error(ErrorCode::invalid_input, "a path below " + root + " contains a NUL byte");
  }
  std::vector<std::string> kept;
  for (auto& part : parts_of(untrusted)) {
    if (part != "..") {
      kept.push_back(std::move(part));
    } else if (kept.empty()) {
      return outside(untrusted, root);
    } else {
      kept.pop_back();
    }
  }
  return below(root, kept);
}

Result<std::string> resolve_inside(const std::string& root, std::string_view untrusted) {
  constexpr int k_most_links = 40;  // as the kernel
  if (untrusted.find('\0') != std::string_view::npos) {
    return make_error(ErrorCode::invalid_input, "a path below " + root + " contains a NUL byte");
  }
  const auto first = parts_of(untrusted);
  std::deque<std::string> ahead(first.begin(), first.end());
  std::vector<std::string> done;
  int links = 0;
  while (!ahead.empty()) {
    auto part = std::move(ahead.front());
    ahead.pop_front();
    if (part == "..") {
      if (!done.empty()) done.pop_back();  // the parent of "/" is "/"
      continue;
    }
    done.push_back(std::move(part));
    const auto path = below(root, done);
    char target[PATH_MAX];
    const auto size = ::readlink(path.c_str(), target, sizeof target);
    if (size < 0) {
      if (errno == EINVAL || errno == ENOENT || errno == ENOTDIR) continue;  // no link, or not there
      return errno_error("cannot look at " + path, errno);
    }
    if (++links > k_most_links) return errno_error("cannot resolve " + path, ELOOP);
    const std::string_view text(target, static_cast<std::size_t>(size));
    done.pop_back();
    if (text.starts_with('/')) done.clear();
    auto parts = parts_of(text);
    ahead.insert(ahead.begin(), parts.begin(), parts.end());
  }
  return below(root, done);
}

}  // namespace drydock
