#pragma once
// Finds the Node that runs JavaScript actions. Thread-safe; remembers what a program said of itself.

#include <string>
#include <string_view>

#include "executors/base/process.h"
#include "executors/base/result.h"

namespace drydock::step {

struct NodeSettings {
  std::string program;    // run.node of the user's settings; must work when given
  std::string externals;  // a directory with node20/bin/node, node24/bin/node, …; need not exist
};

struct Node {
  std::string program;  // absolute
  int major = 0;
};

/// "node20" → 20.
int node_major(std::string_view using_name);

/// The settings' program; else externals' of that major version, or the next newer, or the newest; else PATH's.
/// environment when there is none.
Result<Node> find_node(const NodeSettings& settings, int wanted_major, const Environment& environment);

}  // namespace drydock::step
