#pragma once
// Makes a program of this machine (Node) run in containers that have neither it nor its C library: the program, its
// loader and its libraries in one directory, to be mounted read-only. Many processes may make the same one at once.

#include <string>
#include <vector>

#include "executors/base/process.h"
#include "executors/base/result.h"

namespace drydock::step {

/// Where a closure is mounted. Short: it takes the place of the loader's path in the program's file.
inline constexpr const char* k_closure_mount = "/__n";

struct NodeClosure {
  struct Mount {
    std::string source;  // on this machine
    std::string target;  // in the container, read-only
  };
  std::vector<Mount> mounts;
  std::string program;  // in the container; starts without any variable being set
};

/// Below `directory`, or the one that was made there before of the same file. The copy names its own loader and finds
/// its libraries beside it alone: process.execPath starts it again, LD_LIBRARY_PATH need not be set, which its children
/// would inherit, and no file of the container is loaded. unsupported for a program that is no ELF file of 64 bits.
Result<NodeClosure> make_node_closure(const std::string& program, const std::string& directory);

}  // namespace drydock::step
