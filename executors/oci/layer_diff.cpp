#include "executors/oci/layer_diff.h"

#include "executors/base/owned_fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace drydock::oci {
namespace {

class LayerWriter {
 public:
  LayerWriter(int root, const ByteSink& sink, const DiffOptions& options)
      : root_(root), options_(options), tar_(sink), buffer_(512 << 10, '\0') {}

  Status write(PlannedEntry& planned) {
    if (planned.entry.type != TarType::file) return tar_.header(planned.entry);
    if (planned.entry.size == 0 && planned.xattrs_read) return tar_.header(planned.entry);
    return file(planned);
  }

  Result<std::uint64_t> finish() {
    DRYDOCK_TRY(tar_.finish());
    return tar_.size();
  }

 private:
  Status file(PlannedEntry& planned) {
    const auto& path = planned.entry.path;
    OwnedFd file{::openat(root_, path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
    if (file.get() < 0) return errno_error("open " + path, errno);
    if (!planned.xattrs_read) {
      DRYDOCK_ASSIGN(auto xattrs, read_xattrs(file.get(), options_.format, path));
      DRYDOCK_TRY(refuse_overlay_features(xattrs, path));
      planned.entry.xattrs = std::move(xattrs.layer);
    }
    DRYDOCK_TRY(tar_.header(planned.entry));
    auto left = planned.entry.size;
    while (left > 0) {
      auto count = ::read(file.get(), buffer_.data(), std::min<std::uint64_t>(left, buffer_.size()));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return errno_error("read " + path, errno);
      if (count == 0) return make_error(ErrorCode::io, path + " became shorter while it was read");
      DRYDOCK_TRY(tar_.content({buffer_.data(), static_cast<std::size_t>(count)}));
      left -= static_cast<std::uint64_t>(count);
    }
    return tar_.end_file();
  }

  int root_;
  const DiffOptions& options_;
  TarWriter tar_;
  std::string buffer_;
};

}  // namespace

Result<DiffResult> diff_layer(const std::string& upper, const std::vector<std::string>& lower, const ByteSink& sink,
                              const DiffOptions& options) {
  LayerPlanner planner(upper, lower, options);
  DRYDOCK_ASSIGN(auto entries, planner.plan());
  OwnedFd root{::open(upper.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (root.get() < 0) return errno_error("open " + upper, errno);
  LayerWriter writer(root.get(), sink, options);
  for (auto& planned : entries) {
    if (options.stop.stop_requested()) return make_error(ErrorCode::cancelled, "making the layer was cancelled");
    if (auto written = writer.write(planned); !written) {
      return std::move(written).error().while_("writing " + planned.entry.path + " into the layer");
    }
  }
  DiffResult result;
  result.entries = entries.size();
  DRYDOCK_ASSIGN(result.tar_size, writer.finish());
  return result;
}

}  // namespace drydock::oci
