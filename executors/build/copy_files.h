#pragma once
// Puts files into a mounted root file system as COPY and ADD do. The root's own symbolic links never lead out of it.
// What is created is deterministic: made-up parent directories carry the epoch as their time, and directories that
// were only passed through keep theirs. One call at a time for one root.

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "executors/build/file_tree.h"

namespace drydock::build {

struct Owner {
  std::uint32_t uid = 0, gid = 0;
};

/// A file or directory of a tree; a directory contributes its content.
struct TreeSource {
  std::shared_ptr<FileTree> tree;
  std::string path;                     // one match, relative to the tree's root
  std::function<bool(const std::string& relative)> excluded;  // --exclude; relative to `path`
};

/// A file made from text (heredoc) or fetched (ADD url).
struct InlineSource {
  std::string name;
  std::string content;
  std::uint32_t mode = 0644;
  std::int64_t mtime_ns = 0;
};

using CopySource = std::variant<TreeSource, InlineSource>;

enum class SourceOwner { keep, reset };  // another stage's files keep theirs, a context's become 0:0

struct CopyJob {
  std::vector<CopySource> sources;
  std::string destination;       // absolute, inside the root
  bool into_directory = false;   // trailing slash, several sources or wildcards
  std::optional<Owner> owner;    // --chown
  std::optional<std::uint32_t> mode;  // --chmod, permission bits
  SourceOwner source_owner = SourceOwner::reset;
  std::optional<std::string> parents_pivot;  // --parents: keep the part of the source path behind this prefix
};

Status copy_into(const std::filesystem::path& root, const CopyJob& job);

/// mkdir -p inside the root; new directories get `owner`, mode 0755 and the epoch as their time.
Status make_directories_in(const std::filesystem::path& root, const std::string& path, std::optional<Owner> owner);

}  // namespace drydock::build
