#include "parser/yaml/document.h"

#include "parser/yaml/block_scalar.h"
#include "parser/yaml/places.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <map>
#include <streambuf>

namespace drydock::parser::yaml {

namespace {

struct Stop {
  Problem problem;
};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Reads the text in place: a workflow is parsed often, and stringstream would copy it.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    auto* begin = const_cast<char*>(text.data());
    setg(begin, begin, begin + text.size());
  }
};

/// One past the closing quote of the scalar that begins at `offset`; npos when there is none.
std::size_t end_of_quoted(std::string_view text, std::size_t offset) {
  const char quote = text[offset];
  for (std::size_t i = offset + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '\'' && i + 1 < text.size() && text[i + 1] == '\'') {
        ++i;
        continue;
      }
      return i + 1;
    }
  }
  return std::string_view::npos;
}

/// yaml-cpp 0.7 takes the column of a tag before a block scalar in a list (`- !!str |`) for the scalar's own
/// indentation and then fails. Such tags change nothing but a check of the style, so they are blanked out.
std::string without_tags_of_block_scalars(std::string_view text) {
  std::string result(text);
  for (std::size_t line = 0; line < result.size(); line = std::min(result.find('\n', line), result.size() - 1) + 1) {
    auto i = result.find_first_not_of(" -", line);
    if (i == std::string::npos || i == line || result[i] != '!' || result[i - 1] != ' ') continue;
    const auto end = std::min(result.find_first_of(" \n", i), result.size());
    const auto next = result.find_first_not_of(' ', end);
    if (next != std::string::npos && (result[next] == '|' || result[next] == '>')) {
      std::fill(result.begin() + static_cast<std::ptrdiff_t>(i), result.begin() + static_cast<std::ptrdiff_t>(end), ' ');
    }
  }
  return result;
}

/// The scalar's own first character, after `!tag` and `&anchor`.
std::size_t skip_properties(std::string_view text, std::size_t offset) {
  while (offset < text.size() && (text[offset] == '!' || text[offset] == '&')) {
    while (offset < text.size() && !is_blank(text[offset])) ++offset;
    while (offset < text.size() && is_blank(text[offset])) ++offset;
  }
  return offset;
}

/// A null that is written at `offset`, not one that is left out there.
std::string_view null_word(std::string_view text, std::size_t offset) {
  for (const std::string_view word : {"null", "Null", "NULL", "~"}) {
    if (offset > text.size() || !text.substr(offset).starts_with(word)) continue;
    const auto end = offset + word.size();
    if (end == text.size() || is_blank(text[end]) || text[end] == ',' || text[end] == ']' || text[end] == '}' || text[end] == ':') return word;
  }
  return {};
}

/// Builds the node list from yaml-cpp's events, and mends the places it gives to what is not written.
class Builder : public YAML::EventHandler {
 public:
  Builder(const Places& places, const Limits& limits) : places_(places), limits_(limits) {}

  Document take() { return std::move(document_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto written = offset_of(mark);
    const bool has_anchor = anchor != YAML::NullAnchor;
    const auto begin = has_anchor ? skip_properties(places_.text(), written) : written;
    const auto word = null_word(places_.text(), begin);
    const bool is_written = has_anchor || !word.empty();
    auto& node = add(NodeKind::scalar, is_written ? written : place_of_nothing(written), anchor);
    node.value = word;
    node.range.end = word.empty() ? node.range.start : places_.at(begin + word.size());
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto offset = offset_of(mark);
    auto& node = add(NodeKind::alias, offset, YAML::NullAnchor);
    auto end = offset + 1;
    const auto text = places_.text();
    while (end < text.size() && !is_blank(text[end]) && std::string_view(",[]{}").find(text[end]) == std::string_view::npos) ++end;
    node.value = text.substr(offset + 1, end - offset - 1);
    node.range.end = places_.at(end);
    node.target = anchors_[anchor];
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    auto& node = add(NodeKind::scalar, offset_of(mark), anchor);
    node.value = value;
    if (tag != "?" && tag != "!") node.tag = tag;
    set_style_and_end(node);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(NodeKind::sequence, mark, tag, anchor);
  }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(NodeKind::mapping, mark, tag, anchor);
  }

 private:
  std::size_t offset_of(const YAML::Mark& mark) const {
    return mark.pos < 0 ? places_.text().size() : static_cast<std::size_t>(mark.pos);
  }

  void open(NodeKind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    auto& node = add(kind, offset_of(mark), anchor);
    if (tag != "?" && tag != "!") node.tag = tag;
    open_.push_back(static_cast<NodeId>(document_.nodes.size() - 1));
    if (static_cast<int>(open_.size()) > limits_.max_depth) {
      throw Stop{{"Maximum object depth exceeded", node.range.start}};
    }
  }

  void close() {
    auto& node = document_.nodes[open_.back()];
    node.range.end = node.children.empty() ? node.range.start : document_.nodes[node.children.back()].range.end;
    open_.pop_back();
  }

  Node& add(NodeKind kind, std::size_t offset, YAML::anchor_t anchor) {
    if (document_.nodes.size() >= limits_.max_nodes) {
      throw Stop{{"Maximum YAML nodes exceeded", places_.at(offset)}};
    }
    const auto id = static_cast<NodeId>(document_.nodes.size());
    auto& node = document_.nodes.emplace_back();
    node.kind = kind;
    node.offset = offset;
    node.range.start = node.range.end = places_.at(offset);
    if (anchor != YAML::NullAnchor) anchors_[anchor] = id;
    if (open_.empty()) {
      document_.root = id;
    } else {
      document_.nodes[open_.back()].children.push_back(id);
    }
    return node;
  }

  void set_style_and_end(Node& node) const {
    const auto text = places_.text();
    const auto begin = skip_properties(text, node.offset);
    const char first = begin < text.size() ? text[begin] : '\0';
    auto end = begin;
    if (first == '\'' || first == '"') {
      node.style = first == '"' ? Style::double_quoted : Style::single_quoted;
      end = end_of_quoted(text, begin);
      if (end == std::string_view::npos) throw Stop{{"Not valid YAML: the quoted text that begins here is not closed", node.range.start}};
    } else if (first == '|' || first == '>') {
      node.style = first == '|' ? Style::literal : Style::folded;
      node.value = read_block_scalar(text, begin, parent_indent());
      end = std::min(text.find('\n', begin), text.size());
    } else if (text.substr(begin, node.value.size()) == node.value) {
      end = begin + node.value.size();
    } else {
      end = std::min(text.find('\n', begin), text.size());
    }
    node.range.end = places_.at(end);
  }

  int parent_indent() const {
    return open_.empty() ? -1 : document_.nodes[open_.back()].range.start.column - 1;
  }

  /// yaml-cpp places a value that is not written at the token that follows; GitHub right after the `:` or `-`.
  std::size_t place_of_nothing(std::size_t next_token) const {
    if (open_.empty()) return next_token;
    const auto& parent = document_.nodes[open_.back()];
    if (parent.kind == NodeKind::mapping) {
      if (parent.children.size() % 2 == 0) return next_token;
      return after_colon(parent, document_.nodes[parent.children.back()], next_token);
    }
    return after_dash(parent, next_token);
  }

  std::size_t after_colon(const Node& mapping, const Node& key, std::size_t fallback) const {
    const auto text = places_.text();
    if (key.kind != NodeKind::scalar) return fallback;
    const auto first = skip_properties(text, mapping.offset);
    const bool in_braces = first < text.size() && text[first] == '{';
    auto i = skip_properties(text, key.offset);
    if (i < text.size() && (text[i] == '"' || text[i] == '\'')) i = std::min(end_of_quoted(text, i), text.size());
    for (; i < text.size() && text[i] != '\n'; ++i) {
      if (text[i] == ':' && (i + 1 == text.size() || is_blank(text[i + 1]) || text[i + 1] == ',' || text[i + 1] == '}')) {
        return i + 1;
      }
      if (in_braces && (text[i] == ',' || text[i] == '}')) return i;
    }
    return fallback;
  }

  std::size_t after_dash(const Node& sequence, std::size_t next_token) const {
    const auto text = places_.text();
    const auto column = sequence.range.start.column;
    for (auto line = places_.at(next_token).line; line >= sequence.range.start.line; --line) {
      const auto dash = places_.line_start(line) + static_cast<std::size_t>(column - 1);
      if (dash < next_token && dash < text.size() && text[dash] == '-') return dash + 1;
    }
    return next_token;
  }

  const Places& places_;
  const Limits& limits_;
  Document document_;
  std::vector<NodeId> open_;
  std::map<YAML::anchor_t, NodeId> anchors_;
};

/// Only tells where a second document begins.
class SecondDocument : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { throw mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

std::string explain(const YAML::ParserException& error, const Places& places, Position position) {
  const auto line_begin = position.line > 0 ? places.line_start(position.line) : 0;
  const auto text = places.text().substr(line_begin);
  const auto content = text.find_first_not_of(" \t");
  const auto indent = text.substr(0, content == std::string_view::npos ? 0 : content);
  if (indent.find('\t') != std::string_view::npos) {
    return "A tab is used for indentation; YAML allows spaces only";
  }
  return "Not valid YAML: " + error.msg;
}

/// `places` may be of a text that differs from this one in blanks alone.
std::variant<Document, Problem> parse_text(std::string_view text, const Places& places, const Limits& limits) {
  try {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    Builder builder(places, limits);
    if (!parser.HandleNextDocument(builder)) return Document{};
    SecondDocument second;
    parser.HandleNextDocument(second);
    return builder.take();
  } catch (const Stop& stop) {
    return stop.problem;
  } catch (const YAML::Mark& mark) {
    return Problem{"Only one YAML document is expected in this file", places.at(static_cast<std::size_t>(mark.pos))};
  } catch (const YAML::ParserException& error) {
    const auto position = places.at(error.mark.pos < 0 ? text.size() : static_cast<std::size_t>(error.mark.pos));
    return Problem{explain(error, places, position), position};
  } catch (const std::exception& error) {
    return Problem{std::string("Not valid YAML: ") + error.what(), {}};
  }
}

}  // namespace

std::variant<Document, Problem> parse(std::string_view text, const Limits& limits) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.size() > limits.max_bytes) {
    return Problem{"The maximum file size of " + std::to_string(limits.max_bytes) + " bytes has been exceeded", {}};
  }
  const Places places(text);
  if (const auto bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    return Problem{"The file is not UTF-8 text", places.at(bad)};
  }
  if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
    return Problem{"Control characters are not allowed", places.at(zero)};
  }
  auto result = parse_text(text, places, limits);
  if (std::holds_alternative<Problem>(result)) {
    const auto mended = without_tags_of_block_scalars(text);
    if (mended != text) return parse_text(mended, places, limits);
  }
  return result;
}

}  // namespace drydock::parser::yaml
