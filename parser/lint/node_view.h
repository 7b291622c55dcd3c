#pragma once
// NodeView: reading a YAML document by keys, aliases followed. A view: the document must outlive it.

#include "parser/yaml/document.h"

#include <string_view>

namespace drydock::parser::lint {

class NodeView {
 public:
  NodeView() = default;
  NodeView(const yaml::Document& document, yaml::NodeId id) : document_(&document), id_(id) {}

  explicit operator bool() const { return document_ != nullptr && id_ != yaml::k_no_node; }
  const yaml::Node& node() const {
    const auto* found = &document_->node(id_);
    for (int hops = 0; found->kind == yaml::NodeKind::alias && hops < 16; ++hops)
      found = &document_->node(found->target);
    return *found;
  }
  bool is_mapping() const { return *this && node().kind == yaml::NodeKind::mapping; }
  bool is_sequence() const { return *this && node().kind == yaml::NodeKind::sequence; }
  bool is_scalar() const { return *this && node().kind == yaml::NodeKind::scalar; }
  std::string_view text() const { return is_scalar() ? std::string_view(node().value) : std::string_view{}; }

  NodeView find(std::string_view key) const {
    if (!is_mapping()) return {};
    const auto& children = node().children;
    for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
      if (NodeView(*document_, children[i]).text() == key) return {*document_, children[i + 1]};
    }
    return {};
  }

  /// Calls `visit(key, value)` for each entry of a mapping.
  template <class Visit>
  void each(Visit visit) const {
    if (!is_mapping()) return;
    const auto& children = node().children;
    for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
      visit(NodeView(*document_, children[i]), NodeView(*document_, children[i + 1]));
    }
  }

 private:
  const yaml::Document* document_ = nullptr;
  yaml::NodeId id_ = yaml::k_no_node;
};

}  // namespace drydock::parser::lint
