#include "parser/expression/ast.h"

#include "parser/expression/text.h"

namespace drydock::parser::expression {

void Ast::walk(NodeId id, const std::function<bool(NodeId)>& visit) const {
  if (!visit(id)) return;
  for (const NodeId child : children(id)) walk(child, visit);
}

namespace {

Read::Part part_of(const Ast& ast, NodeId id) {
  const Node& node = ast.node(id);
  if (node.kind == NodeKind::star) return {Read::Part::Form::star, "*"};
  if (node.kind == NodeKind::literal) {
    const Value& value = ast.literal(id);
    if (value.is_string()) return {Read::Part::Form::name, value.string()};
    if (value.kind() == Kind::number) return {Read::Part::Form::number, value.to_string()};
  }
  return {Read::Part::Form::dynamic, std::string(ast.spelling(id))};
}

class ReadCollector {
 public:
  explicit ReadCollector(const Ast& ast) : ast_(ast) {}

  void collect(NodeId id) {
    const Node& node = ast_.node(id);
    if (node.kind == NodeKind::name || node.kind == NodeKind::index) return collect_access(id);
    for (const NodeId child : ast_.children(id)) collect(child);
  }

  std::vector<Read> reads;

 private:
  void collect_access(NodeId id) {
    std::vector<NodeId> indexes;  // outermost first
    NodeId base = id;
    while (ast_.node(base).kind == NodeKind::index) {
      indexes.push_back(ast_.children(base)[1]);
      base = ast_.children(base)[0];
    }
    if (ast_.node(base).kind == NodeKind::name) {
      Read read;
      read.context = ast_.spelling(base);
      read.offset = ast_.node(base).offset;
      read.length = ast_.node(id).offset + ast_.node(id).length - read.offset;
      for (auto index = indexes.rbegin(); index != indexes.rend(); ++index)
        read.parts.push_back(part_of(ast_, *index));
      reads.push_back(std::move(read));
    } else {
      collect(base);
    }
    for (auto index = indexes.rbegin(); index != indexes.rend(); ++index) collect(*index);
  }

  const Ast& ast_;
};

}  // namespace

std::string Read::path() const {
  std::string path = context;
  for (const auto& part : parts) {
    if (part.form == Part::Form::dynamic) {
      path += "[…]";
    } else {
      path += "." + part.name;
    }
  }
  return path;
}

bool Read::is(std::string_view context_name, std::string_view first) const {
  if (!equal_ignoring_case(context, context_name)) return false;
  if (first.empty()) return true;
  return !parts.empty() && parts.front().form == Part::Form::name &&
         equal_ignoring_case(parts.front().name, first);
}

std::vector<Read> reads_of(const Ast& ast) {
  ReadCollector collector(ast);
  if (!ast.empty()) collector.collect(ast.root());
  return std::move(collector.reads);
}

std::vector<Call> calls_of(const Ast& ast) {
  std::vector<Call> calls;
  ast.walk([&](NodeId id) {
    const Node& node = ast.node(id);
    if (node.kind == NodeKind::call) calls.push_back({std::string(ast.spelling(id)), id, node.offset});
    return true;
  });
  return calls;
}

bool calls_status_function(const Ast& ast) {
  for (const auto& call : calls_of(ast)) {
    const auto name = ascii_lower(call.name);
    if (name == "success" || name == "failure" || name == "cancelled" || name == "always") return true;
  }
  return false;
}

}  // namespace drydock::parser::expression
