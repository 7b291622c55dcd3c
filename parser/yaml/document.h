#pragma once
// A YAML file as nodes with places, without any meaning given to tags or plain scalars. Aliases stay references,
// so a document's size is bounded by its text. Pure; never throws; the first problem ends the reading.

#include "parser/diagnostics/diagnostic.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace drydock::parser::yaml {

enum class NodeKind : std::uint8_t { scalar, sequence, mapping, alias };

enum class Style : std::uint8_t { plain, single_quoted, double_quoted, literal, folded };

using NodeId = std::uint32_t;
inline constexpr NodeId k_no_node = 0xFFFFFFFF;

struct Node {
  NodeKind kind = NodeKind::scalar;
  Style style = Style::plain;
  std::string value;              // scalar; alias: the anchor's name
  std::string tag;                // resolved ("tag:yaml.org,2002:str"); empty when none was written
  Range range;                    // of a tag or anchor before it when there is one; columns in code points
  std::size_t offset = 0;         // bytes in the text given
  std::vector<NodeId> children;   // sequence: items; mapping: key, value, key, value, …
  NodeId target = k_no_node;      // alias: the node it stands for
};

struct Document {
  std::vector<Node> nodes;
  NodeId root = k_no_node;  // none: the file is empty or only comments

  const Node& node(NodeId id) const { return nodes[id]; }
};

struct Problem {
  std::string message;
  Position position;
  std::string mend = {};
};

struct Limits {
  std::size_t max_bytes = 1024 * 1024;
  std::size_t max_nodes = 200'000;
  int max_depth = 200;
};

/// The first document of the text; a second one is a problem. Takes UTF-8 with or without a byte-order mark.
std::variant<Document, Problem> parse(std::string_view text, const Limits& limits = {});

}  // namespace drydock::parser::yaml
