#include "parser/yaml/block_scalar.h"

#include <algorithm>
#include <vector>

namespace drydock::parser::yaml {

namespace {

enum class Chomping { clip, strip, keep };

struct Header {
  bool folded = false;
  Chomping chomping = Chomping::clip;
  std::size_t indent = 0;  // 0: to be found out
};

Header read_header(std::string_view text, std::size_t offset) {
  Header header;
  header.folded = text[offset] == '>';
  for (auto i = offset + 1; i < text.size(); ++i) {
    if (text[i] == '+') {
      header.chomping = Chomping::keep;
    } else if (text[i] == '-') {
      header.chomping = Chomping::strip;
    } else if (text[i] >= '1' && text[i] <= '9') {
      header.indent = static_cast<std::size_t>(text[i] - '0');
    } else {
      break;
    }
  }
  return header;
}

struct Line {
  std::string_view text;  // without the line break
  bool has_break = false;
};

class Lines {
 public:
  Lines(std::string_view text, std::size_t offset) : text_(text), position_(next_line(offset)) {}

  bool at_end() const { return position_ >= text_.size(); }

  Line next() {
    const auto end = std::min(text_.find('\n', position_), text_.size());
    Line line{text_.substr(position_, end - position_), end < text_.size()};
    if (line.text.ends_with('\r')) line.text.remove_suffix(1);
    position_ = end + 1;
    return line;
  }

 private:
  std::size_t next_line(std::size_t offset) const {
    const auto end = text_.find('\n', offset);
    return end == std::string_view::npos ? text_.size() : end + 1;
  }

  std::string_view text_;
  std::size_t position_;
};

std::size_t spaces_of(std::string_view line) { return std::min(line.find_first_not_of(' '), line.size()); }

std::size_t detect_indent(Lines lines, std::size_t least) {
  while (!lines.at_end()) {
    const auto line = lines.next().text;
    if (const auto spaces = spaces_of(line); spaces < line.size()) return std::max(spaces, least);
  }
  return least;
}

bool is_indented_more(std::string_view line) { return line.starts_with(' ') || line.starts_with('\t'); }

class Builder {
 public:
  explicit Builder(const Header& header) : header_(header) {}

  void blank() { ++blanks_; }

  void content(const Line& line) {
    if (!started_) {
      value_.append(blanks_, '\n');
    } else if (header_.folded && !is_indented_more(last_) && !is_indented_more(line.text)) {
      if (blanks_ == 0) value_ += ' ';
      value_.append(blanks_, '\n');
    } else {
      value_.append(blanks_ + 1, '\n');
    }
    value_ += line.text;
    last_ = line.text;
    last_has_break_ = line.has_break;
    blanks_ = 0;
    started_ = true;
  }

  std::string finish() && {
    if (header_.chomping != Chomping::strip && last_has_break_) value_ += '\n';
    if (header_.chomping == Chomping::keep) value_.append(blanks_, '\n');
    return std::move(value_);
  }

 private:
  const Header& header_;
  std::string value_;
  std::string_view last_;
  bool started_ = false;
  bool last_has_break_ = false;
  std::size_t blanks_ = 0;  // blank lines since the last content
};

}  // namespace

std::string read_block_scalar(std::string_view text, std::size_t offset, int parent_indent) {
  const auto header = read_header(text, offset);
  const auto base = static_cast<std::size_t>(std::max(parent_indent, 0));
  Lines lines(text, offset);
  const auto least = static_cast<std::size_t>(std::max(parent_indent + 1, 1));
  const auto indent = header.indent > 0 ? base + header.indent : detect_indent(lines, least);
  Builder builder(header);
  while (!lines.at_end()) {
    auto line = lines.next();
    const auto spaces = spaces_of(line.text);
    if (spaces < indent && spaces < line.text.size()) break;
    if (line.text.size() <= indent) {
      if (line.has_break) builder.blank();
      continue;
    }
    line.text.remove_prefix(indent);
    builder.content(line);
  }
  return std::move(builder).finish();
}

}  // namespace drydock::parser::yaml
