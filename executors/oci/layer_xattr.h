#pragma once
// Extended attributes of layers: which ones a layer carries, overlay's own ones, and file capabilities, which are
// version 2 in a layer whatever the user namespace. Internal to layers.

#include "executors/base/result.h"
#include "executors/oci/snapshot.h"

#include <map>
#include <string>
#include <string_view>

namespace drydock::oci {

/// security.capability and user.* without overlay's: what root and a user namespace read and write alike.
bool is_layer_xattr(std::string_view name);

struct Xattrs {
  std::map<std::string, std::string> layer;    // those for the layer
  std::map<std::string, std::string> overlay;  // overlay's own, by the name after "trusted.overlay."
};

/// All that concern us, of an open file or directory.
Result<Xattrs> read_xattrs(int fd, SnapshotFormat format, const std::string& path);

/// Value as it stands in a layer: version 3 capabilities lose their root id.
std::string layer_form(std::string_view name, std::string value);

/// "trusted.overlay.opaque" or "user.overlay.opaque".
const char* opaque_name(SnapshotFormat format);
bool is_opaque(const std::string& directory, SnapshotFormat format);

}  // namespace drydock::oci
