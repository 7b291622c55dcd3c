#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>
#include <sstream>

#include "executors/sandbox/files.h"
#include "executors/sandbox/runtime.h"

namespace drydock::sandbox {
namespace {

constexpr std::size_t k_most_bytes = 16u << 20;  // of a hostile /etc/passwd

// Links inside the image are followed as the container would: "/" is the rootfs, whatever they say.
Result<std::string> read_inside(const std::filesystem::path& rootfs, const char* path) {
  const Fd root(::open(rootfs.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return errno_error("cannot open " + rootfs.string(), errno);
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // a FIFO there must not stop us
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const Fd file(static_cast<int>(::syscall(SYS_openat2, root.get(), path, &how, sizeof how)));
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return std::string();
    return errno_error(std::string("cannot read the image's ") + path, errno);
  }
  std::string text;
  char buffer[65536];
  for (ssize_t size; (size = ::read(file.get(), buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(size));
    if (text.size() > k_most_bytes) {
      return make_error(ErrorCode::invalid_input, std::string("the image's ") + path + " is larger than 16 MiB");
    }
  }
  return text;
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, ':');) fields.push_back(field);
  return fields;
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || value > 2147483647u) return {};
  return value;
}

struct PasswdEntry {
  std::string name, home;
  std::uint32_t uid = 0, gid = 0;
};

std::optional<PasswdEntry> find_user(const std::string& passwd, std::string_view wanted) {
  std::istringstream lines(passwd);
  const auto as_number = number(wanted);
  for (std::string line; std::getline(lines, line);) {
    const auto fields = fields_of(line);
    if (fields.size() < 4) continue;
    const auto uid = number(fields[2]), gid = number(fields[3]);
    if (!uid || !gid || (fields[0] != wanted && uid != as_number)) continue;
    return PasswdEntry{fields[0], fields.size() > 5 ? fields[5] : "/", *uid, *gid};
  }
  return {};
}

bool is_member(const std::string& members, const std::string& user) {
  std::istringstream names(members);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == user) return true;
  }
  return false;
}

std::vector<std::uint32_t> groups_of(const std::string& group, const std::string& user) {
  std::vector<std::uint32_t> groups;
  std::istringstream lines(group);
  for (std::string line; std::getline(lines, line);) {
    const auto fields = fields_of(line);
    if (fields.size() < 4 || !is_member(fields[3], user)) continue;
    if (const auto gid = number(fields[2])) groups.push_back(*gid);
  }
  return groups;
}

std::optional<std::uint32_t> find_group(const std::string& group, std::string_view wanted) {
  std::istringstream lines(group);
  for (std::string line; std::getline(lines, line);) {
    const auto fields = fields_of(line);
    if (fields.size() >= 3 && fields[0] == wanted) return number(fields[2]);
  }
  return number(wanted);
}

}  // namespace

Result<UserIds> resolve_user(const std::filesystem::path& rootfs, std::string_view user) {
  const auto colon = user.find(':');
  const auto who = user.substr(0, colon);
  const auto group_name = colon == std::string_view::npos ? std::string_view() : user.substr(colon + 1);
  DRYDOCK_ASSIGN(const auto passwd, read_inside(rootfs, "etc/passwd"));
  UserIds ids;
  const auto entry = find_user(passwd, who.empty() ? "0" : who);
  if (entry) {
    ids.uid = entry->uid;
    ids.gid = who.empty() ? 0 : entry->gid;
    ids.name = entry->name;
    ids.home = entry->home.empty() ? "/" : entry->home;
  } else if (const auto uid = who.empty() ? std::optional<std::uint32_t>(0) : number(who)) {
    ids.uid = *uid;
  } else {
    return make_error(ErrorCode::not_found, "user \"" + std::string(who) + "\" is not in the image's /etc/passwd",
                      "create it in an earlier step (useradd or adduser), or use a number");
  }
  if (group_name.empty() && (!entry || who.empty())) return ids;
  DRYDOCK_ASSIGN(const auto group, read_inside(rootfs, "etc/group"));
  if (group_name.empty()) {
    ids.groups = groups_of(group, entry->name);
    return ids;
  }
  const auto gid = find_group(group, group_name);
  if (!gid) {
    return make_error(ErrorCode::not_found,
                      "group \"" + std::string(group_name) + "\" is not in the image's /etc/group",
                      "create it in an earlier step (groupadd or addgroup), or use a number");
  }
  ids.gid = *gid;
  return ids;
}

}  // namespace drydock::sandbox
