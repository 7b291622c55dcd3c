#include "parser/dockerfile/ast.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "parser/dockerfile/line_parser.h"
#include "parser/dockerfile/text.h"
#include "parser/dockerfile/words.h"

namespace drydock::parser::dockerfile {

namespace {

constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

std::string_view without_line_end(std::string_view line) {
  const auto end = line.find_last_not_of("\r\n");
  return end == std::string_view::npos ? std::string_view{} : line.substr(0, end + 1);
}

bool is_comment(std::string_view line) { return trim_left(line).starts_with('#'); }

struct NameValue {
  std::string name;
  std::string_view value;
};

// "name = value" after '#', with a name that is a directive's.
std::optional<NameValue> read_directive(std::string_view line) {
  if (!line.starts_with('#')) return std::nullopt;
  line = trim(line.substr(1));
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const auto name = lower(trim(line.substr(0, equals)));
  const auto value = trim(line.substr(equals + 1));
  if (value.empty() || (name != "syntax" && name != "escape" && name != "check")) return std::nullopt;
  return NameValue{name, value};
}

class Reader {
 public:
  Reader(std::string_view text, std::string file) {
    auto& ast = result_.ast;
    ast.file = std::move(file);
    ast.source = text.starts_with(k_byte_order_mark) ? text.substr(k_byte_order_mark.size()) : text;
    ast.line_starts.push_back(0);
    for (std::size_t i = 0; i < ast.source.size(); ++i) {
      if (ast.source[i] == '\n' && i + 1 < ast.source.size()) ast.line_starts.push_back(i + 1);
    }
    if (ast.source.empty()) ast.line_starts.clear();
  }

  ParsedAst run() && {
    while (more()) instruction();
    if (result_.ast.nodes.empty() && !seen_instruction_) {
      report(std::max(number_, 1), "the Dockerfile has no instructions", "start with FROM");
    }
    return std::move(result_);
  }

 private:
  bool more() const { return static_cast<std::size_t>(number_) < result_.ast.line_starts.size(); }

  // The next line with its end; number_ is then its number.
  std::string_view take() {
    const auto& starts = result_.ast.line_starts;
    const auto index = static_cast<std::size_t>(number_++);
    const auto begin = starts[index];
    const auto end = index + 1 < starts.size() ? starts[index + 1] : result_.ast.source.size();
    return std::string_view(result_.ast.source).substr(begin, end - begin);
  }

  void report(int line, std::string message, std::string mend) {
    Node place;
    place.start_line = place.end_line = line;
    report(place, {std::move(message), std::move(mend), ""});
  }
  void report(const Node& node, LineError error) {
    result_.diagnostics.push_back({Severity::error, result_.ast.file, result_.ast.place_of(node, error.fragment),
                                   "syntax", std::move(error.message), std::move(error.mend)});
  }

  // Directives are recognised only before anything else; true when this line is one.
  bool directive(std::string_view line) {
    if (directives_done_) return false;
    if (number_ == 1 && line.starts_with("#!")) {
      has_shebang_ = true;
      return false;
    }
    auto found = read_directive(line);
    // Below a "#!" line the escape character can no longer be changed; BuildKit still looks for the other two.
    if (!found || (has_shebang_ && found->name == "escape")) {
      directives_done_ = true;
      return false;
    }
    auto& directives = result_.ast.directives;
    if (std::any_of(directives.begin(), directives.end(), [&](const auto& d) { return d.name == found->name; })) {
      report(number_, "the directive \"" + found->name + "\" is given twice", "keep one of them");
      return true;
    }
    if (found->name == "escape") {
      if (found->value == "`" || found->value == "\\") {
        result_.ast.escape = found->value[0];
      } else {
        report(number_, "the escape character must be ` or \\, not \"" + std::string(found->value) + "\"",
               "write # escape=` or leave the line out");
      }
    }
    directives.push_back({found->name, std::string(found->value), number_});
    return true;
  }

  // Drops the escape at the end of a line that goes on; false when the line ends there.
  bool cut_continuation(std::string_view& line) const {
    const char escape = result_.ast.escape;
    const auto last = line.find_last_not_of(" \t");
    if (last == std::string_view::npos || line[last] != escape) return false;
    if (last > 0 && line[last - 1] == escape) return false;
    line = line.substr(0, last);
    return true;
  }

  void comment(std::string_view line) {
    const auto text = trim(trim_left(line).substr(1));
    if (text.empty()) {
      comments_.clear();
    } else {
      comments_.emplace_back(text);
    }
  }

  void instruction() {
    auto line = trim_left(without_line_end(take()));
    if (directive(line)) return;
    if (is_comment(line)) return comment(line);
    Node node;
    node.start_line = number_;
    bool goes_on = cut_continuation(line);
    if (!goes_on && line.empty()) return;
    std::string logical(line);
    bool empty_inside = false;
    while (goes_on && more()) {
      auto next = without_line_end(take());
      if (is_comment(next)) continue;
      if (trim(next).empty()) {
        empty_inside = true;
        continue;
      }
      goes_on = cut_continuation(next);
      logical += next;
    }
    if (empty_inside) result_.ast.empty_continuations.push_back(number_);
    seen_instruction_ = true;
    finish(std::move(node), logical);
  }

  void finish(Node node, const std::string& logical) {
    node.end_line = number_;
    node.comments = std::exchange(comments_, {});
    if (auto error = parse_line(logical, result_.ast.escape, node)) return report(node, std::move(*error));
    if (takes_heredocs(node) && logical.find("<<") != std::string::npos && !read_heredocs(node, logical)) return;
    node.end_line = number_;
    result_.ast.nodes.push_back(std::move(node));
  }

  static bool takes_heredocs(const Node& node) {
    const Node& inner = node.trigger.empty() ? node : node.trigger.front();
    const auto name = upper(inner.keyword);
    return (name == "ADD" || name == "COPY" || name == "RUN") && inner.form == ArgumentForm::words;
  }

  bool read_heredocs(Node& node, const std::string& logical) {
    const WordOptions options{'\\', Quotes::keep, Escapes::keep, Unset::keep};
    for (const auto& word : expand_word(logical, {}, options).words) {
      auto heredoc = parse_heredoc_word(word);
      if (heredoc.name.empty()) continue;
      bool ended = false;
      while (more() && !ended) {
        const auto line = take();
        auto candidate = without_line_end(line);
        if (heredoc.chomp) candidate.remove_prefix(std::min(candidate.find_first_not_of('\t'), candidate.size()));
        ended = candidate == heredoc.name;
        if (!ended) heredoc.content += line;
      }
      if (!ended) {
        report(node, {"the heredoc \"" + heredoc.name + "\" has no end",
                      "put " + heredoc.name + " alone on the line after its content", "<<"});
        return false;
      }
      node.heredocs.push_back(std::move(heredoc));
    }
    return true;
  }

  ParsedAst result_;
  int number_ = 0;  // of the line taken last, from 1
  bool directives_done_ = false;
  bool has_shebang_ = false;
  bool seen_instruction_ = false;
  std::vector<std::string> comments_;
};

int column_of(std::string_view line, std::size_t offset) {
  return static_cast<int>(decode(line.substr(0, offset)).size()) + 1;
}

std::string dump_node(const Node& node) {
  std::string out = lower(node.keyword);
  if (!node.flags.empty()) {
    std::vector<std::string> flags;
    for (const auto& flag : node.flags) flags.push_back(dockerfile::quoted(flag));
    out += " [" + join(flags, " ") + "]";
  }
  for (const auto& trigger : node.trigger) out += " (" + dump_node(trigger) + ")";
  for (const auto& argument : node.arguments) out += " " + dockerfile::quoted(argument);
  return out;
}

}  // namespace

std::string_view Ast::line(int number) const {
  if (number < 1 || static_cast<std::size_t>(number) > line_starts.size()) return {};
  const auto index = static_cast<std::size_t>(number) - 1;
  const auto end = index + 1 < line_starts.size() ? line_starts[index + 1] : source.size();
  return without_line_end(std::string_view(source).substr(line_starts[index], end - line_starts[index]));
}

std::string Ast::directive(std::string_view name) const {
  for (const auto& found : directives) {
    if (found.name != name) continue;
    return name == "syntax" ? found.value.substr(0, found.value.find(' ')) : found.value;
  }
  return {};
}

Range Ast::place_of(const Node& node, std::string_view fragment) const {
  for (int number = node.start_line; !fragment.empty() && number <= node.end_line; ++number) {
    const auto text = line(number);
    const auto at = text.find(fragment);
    if (at == std::string_view::npos) continue;
    return {{number, column_of(text, at)}, {number, column_of(text, at + fragment.size())}};
  }
  const auto text = line(node.start_line);
  const auto at = text.size() - trim_left(text).size();
  return {{node.start_line, column_of(text, at)}, {node.start_line, column_of(text, at + node.keyword.size())}};
}

Range Ast::extent_of(const Node& node) const {
  const auto last = line(node.end_line);
  return {place_of(node).start, {node.end_line, column_of(last, last.size())}};
}

ParsedAst parse_ast(std::string_view text, std::string file) { return Reader(text, std::move(file)).run(); }

std::string dump_ast(const Ast& ast) {
  std::string out;
  for (const auto& node : ast.nodes) out += "(" + dump_node(node) + ")\n";
  return out;
}

Heredoc parse_heredoc_word(std::string_view word) {
  Heredoc heredoc;
  const auto start = word.find_first_not_of("0123456789");
  if (start == std::string_view::npos || !word.substr(start).starts_with("<<")) return {};
  for (const char digit : word.substr(0, std::min<std::size_t>(start, 9))) {
    heredoc.file_descriptor = heredoc.file_descriptor * 10 + static_cast<unsigned>(digit - '0');
  }
  word.remove_prefix(start + 2);
  if (word.starts_with('-')) {
    heredoc.chomp = true;
    word.remove_prefix(1);
  }
  word = trim_left(word);
  if (word.empty() || word.find('<') != std::string_view::npos) return {};
  WordOptions options;
  options.unset = Unset::keep;
  const auto plain = expand_word(word, {}, options);
  options.quotes = Quotes::keep;
  const auto raw = expand_word(word, {}, options);
  if (!plain.ok() || !raw.ok() || plain.words.size() != 1 || raw.words.size() != 1) return {};
  const auto quotes = [](const std::string& text) {
    return std::count_if(text.begin(), text.end(), [](char c) { return c == '\'' || c == '"'; });
  };
  heredoc.name = plain.words[0];
  heredoc.expand = quotes(plain.words[0]) == quotes(raw.words[0]);
  return heredoc;
}

std::string chomp_tabs(std::string_view content) {
  std::string out;
  bool at_start = true;
  for (const char c : content) {
    if (at_start && c == '\t') continue;
    out += c;
    at_start = c == '\n';
  }
  return out;
}

}  // namespace drydock::parser::dockerfile
