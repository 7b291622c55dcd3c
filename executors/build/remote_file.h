#pragma once
// A file that ADD fetches. Each URL is fetched once a build and kept in memory.

#include <string>

#include "executors/build/engine.h"

namespace drydock::build {

struct RemoteFile {
  std::string name;     // last part of the URL's path
  std::string content;
  std::int64_t mtime_ns = 0;  // Last-Modified; the epoch when the server says nothing
  oci::Digest digest;
};

/// `checksum`: "sha256:…" to compare with, or empty.
Result<RemoteFile> fetch_remote_file(Engine& engine, const std::string& url, const std::string& checksum);

}  // namespace drydock::build
