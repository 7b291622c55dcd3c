#include "executors/oci/layer_xattr.h"

#include <sys/xattr.h>

#include <cerrno>
#include <cstring>

namespace drydock::oci {
namespace {

constexpr std::string_view k_capability = "security.capability";

Result<std::string> read_value(int fd, const char* name, const std::string& path) {
  std::string value(256, '\0');
  for (;;) {
    auto size = ::fgetxattr(fd, name, value.data(), value.size());
    if (size >= 0) {
      value.resize(static_cast<std::size_t>(size));
      return value;
    }
    if (errno != ERANGE) return errno_error("read attribute " + std::string(name) + " of " + path, errno);
    size = ::fgetxattr(fd, name, nullptr, 0);
    if (size < 0) return errno_error("read attribute " + std::string(name) + " of " + path, errno);
    value.resize(static_cast<std::size_t>(size) + 64);
  }
}

}  // namespace

bool is_layer_xattr(std::string_view name) {
  return name == k_capability || (name.starts_with("user.") && !name.starts_with("user.overlay."));
}

Result<Xattrs> read_xattrs(int fd, SnapshotFormat format, const std::string& path) {
  Xattrs xattrs;
  char small[512];
  std::string large;
  const char* names = small;
  auto size = ::flistxattr(fd, small, sizeof small);
  while (size < 0 && errno == ERANGE) {
    large.resize(large.empty() ? 8192 : large.size() * 2);
    names = large.data();
    size = ::flistxattr(fd, large.data(), large.size());
  }
  if (size < 0 && (errno == ENOTSUP || errno == ENODATA)) return xattrs;
  if (size < 0) return errno_error("list attributes of " + path, errno);
  std::string_view overlay = format == SnapshotFormat::root ? "trusted.overlay." : "user.overlay.";
  for (const char* name = names; name < names + size; name += std::strlen(name) + 1) {
    bool ours = std::string_view(name).starts_with(overlay);
    if (!ours && !is_layer_xattr(name)) continue;
    DRYDOCK_ASSIGN(auto value, read_value(fd, name, path));
    if (ours) {
      xattrs.overlay[name + overlay.size()] = std::move(value);
    } else {
      xattrs.layer[name] = layer_form(name, std::move(value));
    }
  }
  return xattrs;
}

std::string layer_form(std::string_view name, std::string value) {
  // struct vfs_ns_cap_data: version and flags, two pairs of sets, and in version 3 the root id.
  if (name == k_capability && value.size() == 24 && value[3] == 3) {
    value[3] = 2;
    value.resize(20);
  }
  return value;
}

const char* opaque_name(SnapshotFormat format) {
  return format == SnapshotFormat::root ? "trusted.overlay.opaque" : "user.overlay.opaque";
}

bool is_opaque(const std::string& directory, SnapshotFormat format) {
  char value[4];
  return ::lgetxattr(directory.c_str(), opaque_name(format), value, sizeof value) == 1 && value[0] == 'y';
}

}  // namespace drydock::oci
