#pragma once
// Unpacks one tar into a LayerTarget. Internal to layers; apply_layer adds expanding and digests.

#include "executors/base/result.h"
#include "executors/oci/layer.h"
#include "executors/oci/layer_target.h"
#include "executors/oci/tar.h"

#include <set>
#include <string>
#include <vector>

namespace drydock::oci {

class LayerUnpacker {
 public:
  LayerUnpacker(LayerTarget& target, std::vector<std::string>& notes)
      : target_(target), notes_(notes), buffer_(256 << 10, '\0') {}

  /// Every entry until the end of the archive.
  Result<std::size_t> unpack(TarReader& tar, const std::stop_token& stop);

 private:
  using Slot = LayerTarget::Slot;

  Status place(TarReader& tar, const TarEntry& entry);
  Status place_whiteout(const Slot& slot, std::string_view hidden);
  Status place_root(const TarEntry& entry);
  Status place_directory(const Slot& slot, const TarEntry& entry);
  Status place_file(const Slot& slot, const TarEntry& entry, TarReader& tar);
  Status place_hard_link(const TarEntry& entry);
  Status place_symlink(const Slot& slot, const TarEntry& entry);
  Status place_special(const Slot& slot, const TarEntry& entry);
  Status set_metadata(int fd, const TarEntry& entry);
  /// Makes room; true when something that is no directory, perhaps a whiteout, stood there.
  Result<bool> make_room(const Slot& slot, bool for_directory);
  void note_once(const std::string& text);

  LayerTarget& target_;
  std::vector<std::string>& notes_;
  std::set<std::string> noted_;
  std::string buffer_;
};

}  // namespace drydock::oci
