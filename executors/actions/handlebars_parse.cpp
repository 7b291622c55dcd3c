#include <cctype>
#include <cstdlib>
#include <optional>

#include "executors/actions/handlebars_tree.h"
#include "executors/actions/text.h"

namespace drydock::actions::handlebars {
namespace {

constexpr std::string_view k_not_in_names = "!\"#%&'()*+,./;<=>@[\\]^`{|}~";
constexpr int k_deepest = 64;

bool in_name(char c) {
  return !std::isspace(static_cast<unsigned char>(c)) && k_not_in_names.find(c) == std::string_view::npos;
}

bool may_follow_name(char c) {
  return std::isspace(static_cast<unsigned char>(c)) || std::string_view("=~}/.)|]").find(c) != std::string_view::npos;
}

Error malformed(std::string_view source, const std::string& why) {
  return make_error(ErrorCode::usage, "template \"" + std::string(source) + "\": " + why);
}

/// Reads what stands between the braces of one tag.
class ExpressionReader {
 public:
  ExpressionReader(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  Result<Expression> call(int depth = 0) {
    Expression call;
    call.kind = Expression::Kind::call;
    DRYDOCK_ASSIGN(auto callee, operand(depth));
    call.callee.push_back(std::move(callee));
    for (skip(); at_ < text_.size() && text_[at_] != ')'; skip()) {
      if (const auto name = name_before_equals(); !name.empty()) {
        DRYDOCK_ASSIGN(auto value, operand(depth));
        call.named.push_back({name, std::move(value)});
      } else if (!call.named.empty()) {
        return malformed(source_, "an argument stands after a name=value pair");
      } else {
        DRYDOCK_ASSIGN(auto value, operand(depth));
        call.positional.push_back(std::move(value));
      }
    }
    return call;
  }

  bool at_end() {
    skip();
    return at_ == text_.size();
  }

 private:
  void skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }

  std::string name_before_equals() {
    auto end = at_;
    while (end < text_.size() && in_name(text_[end])) ++end;
    if (end == at_ || end == text_.size() || text_[end] != '=') return {};
    std::string name(text_.substr(at_, end - at_));
    at_ = end + 1;
    return name;
  }

  Result<Expression> operand(int depth) {
    skip();
    if (depth > k_deepest) return malformed(source_, "nested too deeply");
    if (at_ == text_.size()) return malformed(source_, "an expression is missing");
    const char c = text_[at_];
    if (c == '(') {
      ++at_;
      DRYDOCK_ASSIGN(auto inner, call(depth + 1));
      if (at_ == text_.size()) return malformed(source_, "a parenthesis is not closed");
      ++at_;
      return inner;
    }
    if (c == '"' || c == '\'') return quoted(c);
    if (auto number = number_here()) return std::move(*number);
    return path();
  }

  Result<Expression> quoted(char quote) {
    Expression out{.kind = Expression::Kind::literal};
    std::string value;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == quote) ++at_;
      value += text_[at_];
    }
    if (at_ == text_.size()) return malformed(source_, "a string is not closed");
    ++at_;
    out.literal = std::move(value);
    return out;
  }

  std::optional<Expression> number_here() {
    auto end = at_ + (text_[at_] == '-' ? 1 : 0);
    const auto digits = end;
    while (end < text_.size() && std::isdigit(static_cast<unsigned char>(text_[end]))) ++end;
    if (end == digits) return std::nullopt;
    if (end + 1 < text_.size() && text_[end] == '.' && std::isdigit(static_cast<unsigned char>(text_[end + 1]))) {
      for (++end; end < text_.size() && std::isdigit(static_cast<unsigned char>(text_[end]));) ++end;
    }
    if (end < text_.size() && (in_name(text_[end]) || text_[end] == '.')) return std::nullopt;
    Expression out{.kind = Expression::Kind::literal};
    out.literal = std::strtod(std::string(text_.substr(at_, end - at_)).c_str(), nullptr);
    at_ = end;
    return out;
  }

  Result<Expression> path() {
    Expression out;
    bool plain = true;  // a lone word, which may be a literal
    for (bool more = true; more;) {
      if (text_.substr(at_).starts_with("..")) {
        at_ += 2;
        ++out.parents;
        plain = false;
      } else if (at_ < text_.size() && text_[at_] == '.') {
        ++at_;
        out.scoped = true;
        plain = false;
      } else if (at_ < text_.size() && text_[at_] == '[') {
        const auto close = text_.find(']', at_);
        if (close == text_.npos) return malformed(source_, "a bracket is not closed");
        out.parts.emplace_back(text_.substr(at_ + 1, close - at_ - 1));
        at_ = close + 1;
        plain = false;
      } else {
        const auto start = at_;
        while (at_ < text_.size() && in_name(text_[at_])) ++at_;
        if (at_ == start) {
          const auto what = at_ < text_.size() ? std::string(1, text_[at_]) : std::string("the end");
          return malformed(source_, "unexpected " + what + " in an expression");
        }
        if (at_ < text_.size() && !may_follow_name(text_[at_])) return malformed(source_, "a name runs into other text");
        const auto word = text_.substr(start, at_ - start);
        if (word == "this" && out.parts.empty()) {
          out.scoped = true;
          plain = false;
        } else {
          out.parts.emplace_back(word);
        }
      }
      more = at_ + 1 < text_.size() && (text_[at_] == '.' || text_[at_] == '/') &&
             (in_name(text_[at_ + 1]) || text_[at_ + 1] == '[' || text_[at_ + 1] == '.');
      if (more) ++at_;
    }
    if (plain && out.parts.size() == 1) return word_or_literal(std::move(out));
    return out;
  }

  static Expression word_or_literal(Expression out) {
    const auto word = out.parts.front();
    if (word != "true" && word != "false" && word != "undefined" && word != "null") return out;
    Expression literal{.kind = Expression::Kind::literal};
    if (word == "true") literal.literal = true;
    if (word == "false") literal.literal = false;
    return literal;
  }

  std::string_view text_, source_;
  std::size_t at_ = 0;
};

class TemplateReader {
 public:
  explicit TemplateReader(std::string_view source) : source_(source) {}

  Result<std::vector<Node>> read() {
    DRYDOCK_ASSIGN(auto nodes, program(0));
    if (!ended_by_.empty()) return malformed(source_, "{{" + ended_by_ + "}} has no opening block");
    return nodes;
  }

 private:
  struct Tag {
    char sigil = 0;  // # / ^ & { or none; ! is a comment
    std::string_view inside;
  };

  Result<std::vector<Node>> program(int depth) {
    std::vector<Node> nodes;
    ended_by_.clear();
    if (depth > k_deepest) return malformed(source_, "nested too deeply");
    while (true) {
      const bool tag_follows = text(nodes);
      if (!tag_follows) return nodes;
      DRYDOCK_ASSIGN(const auto tag, read_tag(nodes));
      const auto word = trimmed(tag.inside);
      if (tag.sigil == '!') continue;
      if (tag.sigil == '/' || (tag.sigil == '^' && word.empty()) || (tag.sigil == 0 && (word == "else" || word.starts_with("else ")))) {
        ended_by_ = tag.sigil == '/' ? "/" + word : word == "else" || word.empty() ? "else" : word;
        return nodes;
      }
      if (tag.sigil == '#' || tag.sigil == '^') {
        DRYDOCK_ASSIGN(auto block, read_block(tag, word, depth));
        nodes.push_back(std::move(block));
        continue;
      }
      Node output{.kind = Node::Kind::output};
      DRYDOCK_ASSIGN(output.expression, expression_in(word));
      output.escaped = tag.sigil == 0;
      nodes.push_back(std::move(output));
    }
  }

  Result<Node> read_block(const Tag& tag, const std::string& opening, int depth) {
    Node block{.kind = Node::Kind::block};
    DRYDOCK_ASSIGN(block.expression, expression_in(opening));
    const auto name = block.expression.callee.front().name();
    DRYDOCK_ASSIGN(block.body, program(depth + 1));
    if (ended_by_.starts_with("else ")) {
      // "{{else if x}}" is a block of its own that shares this one's end.
      DRYDOCK_ASSIGN(auto chained, read_block({'#', {}}, trimmed(std::string_view(ended_by_).substr(5)), depth + 1));
      block.otherwise.push_back(std::move(chained));
      return block;
    }
    if (ended_by_ == "else") {
      DRYDOCK_ASSIGN(block.otherwise, program(depth + 1));
    }
    if (!ended_by_.starts_with("/")) return malformed(source_, "block " + name + " is not closed");
    if (depth == 0 && tag.inside.data() && ended_by_ != "/" + name) {
      return malformed(source_, "block " + name + " is closed by {{" + ended_by_ + "}}");
    }
    ended_by_.clear();
    if (tag.sigil == '^') std::swap(block.body, block.otherwise);
    return block;
  }

  Result<Expression> expression_in(std::string_view text) {
    ExpressionReader reader(text, source_);
    DRYDOCK_ASSIGN(auto call, reader.call());
    if (!reader.at_end()) return malformed(source_, "a parenthesis closes nothing");
    return call;
  }

  /// Text up to the next tag, "\{{" being text itself. False at the end of the template.
  bool text(std::vector<Node>& nodes) {
    std::string out;
    bool found = false;
    while (!found) {
      const auto open = source_.find("{{", at_);
      out += source_.substr(at_, open == source_.npos ? open : open - at_);
      at_ = open == source_.npos ? source_.size() : open;
      if (open == source_.npos) break;
      if (out.ends_with("\\\\")) {
        out.pop_back();
        found = true;
      } else if (out.ends_with('\\')) {
        out.pop_back();
        out += "{{";
        at_ += 2;
      } else {
        found = true;
      }
    }
    if (strip_next_) out.erase(0, std::min(out.find_first_not_of(" \t\r\n"), out.size()));
    strip_next_ = false;
    if (!out.empty()) nodes.push_back({.kind = Node::Kind::text, .text = std::move(out)});
    return found;
  }

  Result<Tag> read_tag(std::vector<Node>& nodes) {
    auto start = at_ + 2;
    Tag tag;
    std::string_view closing = "}}";
    if (source_.substr(start).starts_with("{{")) return malformed(source_, "raw blocks are not supported");
    if (start < source_.size() && source_[start] == '~') {
      strip_before(nodes);
      ++start;
    }
    if (start < source_.size() && std::string_view("#/^&{!>").find(source_[start]) != std::string_view::npos) {
      tag.sigil = source_[start++];
    }
    if (tag.sigil == '>' || (tag.sigil == '#' && start < source_.size() && (source_[start] == '>' || source_[start] == '*'))) {
      return malformed(source_, "partials and decorators are not supported");
    }
    if (tag.sigil == '{') closing = "}}}";
    if (tag.sigil == '!' && source_.substr(start).starts_with("--")) closing = "--}}";
    const auto end = closing_at(start, closing, tag.sigil == '!');
    if (end == source_.npos) return malformed(source_, "a tag is not closed");
    tag.inside = source_.substr(start, end - start);
    at_ = end + closing.size();
    if (tag.inside.ends_with('~')) {
      tag.inside.remove_suffix(1);
      strip_next_ = true;
    }
    return tag;
  }

  /// Braces inside strings do not close a tag.
  std::size_t closing_at(std::size_t from, std::string_view closing, bool comment) const {
    if (comment) return source_.find(closing, from);
    char quote = 0;
    for (auto i = from; i < source_.size(); ++i) {
      const char c = source_[i];
      if (quote) {
        if (c == quote && source_[i - 1] != '\\') quote = 0;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (source_.substr(i).starts_with(closing)) {
        return i;
      }
    }
    return source_.npos;
  }

  static void strip_before(std::vector<Node>& nodes) {
    if (nodes.empty() || nodes.back().kind != Node::Kind::text) return;
    auto& text = nodes.back().text;
    text.erase(text.find_last_not_of(" \t\r\n") + 1);
  }

  std::string_view source_;
  std::size_t at_ = 0;
  bool strip_next_ = false;
  std::string ended_by_;  // "/if", "else", "else if x": what ended the program read last
};

}  // namespace

std::string Expression::name() const { return join(parts, "."); }

Result<std::vector<Node>> parse(std::string_view source) { return TemplateReader(source).read(); }

}  // namespace drydock::actions::handlebars
