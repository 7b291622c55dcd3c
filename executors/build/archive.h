#pragma once
// Archives that ADD unpacks: tar, plain or compressed by gzip, bzip2, xz or zstd. Reading and writing are
// libarchive's; entries never leave the directory they are unpacked into.

#include <memory>
#include <string>

#include "executors/build/engine.h"
#include "executors/build/file_tree.h"

namespace drydock::build {

/// The unpacked archive as a tree of its own; null when the file is none.
Result<std::shared_ptr<FileTree>> unpack_if_archive(Engine& engine, FileTree& tree, const std::string& path);

}  // namespace drydock::build
