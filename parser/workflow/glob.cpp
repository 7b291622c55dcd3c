#include "parser/workflow/glob.h"

#include <cstdint>

namespace drydock::parser::workflow {

namespace {

enum class Form : std::uint8_t { character, set, star, globstar, folders };
enum class Times : std::uint8_t { once, optional, repeated };

struct Item {
  Form form = Form::character;
  Times times = Times::once;
  std::string characters;  // the character, or all those of a set
};

struct Parsed {
  std::vector<Item> items;
  std::string problem;
};

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

class PatternParser {
 public:
  explicit PatternParser(std::string_view pattern) : pattern_(pattern) {}

  Parsed run() {
    while (position_ < pattern_.size()) step();
    return std::move(parsed_);
  }

 private:
  void note(std::string problem) {
    if (parsed_.problem.empty()) parsed_.problem = std::move(problem);
  }

  void literal(char c) { parsed_.items.push_back({Form::character, Times::once, std::string(1, c)}); }

  void step() {
    const char c = pattern_[position_++];
    switch (c) {
      case '*': star(); break;
      case '[': set(); break;
      case '?':
      case '+': quantifier(c); break;
      case '\\':
        if (position_ == pattern_.size()) {
          note("a backslash at the end escapes nothing");
          literal(c);
        } else {
          literal(pattern_[position_++]);
        }
        break;
      default: literal(c);
    }
  }

  /// `**/` also stands for no folder at all, so that `**/x` matches `x`.
  void star() {
    if (pattern_.substr(position_, 1) != "*") {
      parsed_.items.push_back({Form::star, Times::once, {}});
      return;
    }
    ++position_;
    const bool folders = pattern_.substr(position_, 1) == "/";
    if (folders) ++position_;
    parsed_.items.push_back({folders ? Form::folders : Form::globstar, Times::once, {}});
  }

  void quantifier(char c) {
    auto& items = parsed_.items;
    const bool has_preceding = !items.empty() && items.back().times == Times::once &&
                               (items.back().form == Form::character || items.back().form == Form::set);
    if (!has_preceding) {
      note(std::string("the character before ") + c + ", which it applies to, is missing");
      if (items.empty()) literal(c);
      return;
    }
    items.back().times = c == '?' ? Times::optional : Times::repeated;
  }

  void set() {
    const auto end = pattern_.find(']', position_);
    if (end == std::string_view::npos) {
      note("the [ is not closed by a ]");
      literal('[');
      return;
    }
    Item item{Form::set, Times::once, {}};
    const auto body = pattern_.substr(position_, end - position_);
    for (std::size_t i = 0; i < body.size(); ++i) {
      if (i + 2 < body.size() && body[i + 1] == '-') {
        range(item, body[i], body[i + 2]);
        i += 2;
      } else {
        if (!is_alphanumeric(body[i])) note(std::string("only letters, digits and ranges may stand in [ ], not ") + body[i]);
        item.characters += body[i];
      }
    }
    if (body.empty()) note("the set [ ] is empty");
    parsed_.items.push_back(std::move(item));
    position_ = end + 1;
  }

  void range(Item& item, char first, char last) {
    if (!is_alphanumeric(first) || !is_alphanumeric(last) || first > last) {
      note(std::string("the range ") + first + "-" + last + " is not ascending within a-z, A-Z or 0-9");
    }
    for (int c = first; c <= last; ++c) item.characters += static_cast<char>(c);
  }

  std::string_view pattern_;
  std::size_t position_ = 0;
  Parsed parsed_;
};

/// Fills, from the end of the text, whether item and all after it match what begins at each position.
class Matcher {
 public:
  Matcher(const std::vector<Item>& items, std::string_view text) : items_(items), text_(text) {}

  bool run() {
    std::vector<bool> after(text_.size() + 1, false);
    after[text_.size()] = true;
    for (auto item = items_.rbegin(); item != items_.rend(); ++item) after = before(*item, after);
    return after[0];
  }

 private:
  std::vector<bool> before(const Item& item, const std::vector<bool>& after) const {
    std::vector<bool> result(text_.size() + 1, false);
    bool folder_ahead = false;  // some `/` further on is followed by a match
    for (std::size_t j = text_.size() + 1; j-- > 0;) {
      switch (item.form) {
        case Form::globstar: result[j] = after[j] || (j < text_.size() && result[j + 1]); break;
        case Form::star: result[j] = after[j] || (j < text_.size() && text_[j] != '/' && result[j + 1]); break;
        case Form::folders:
          result[j] = after[j] || folder_ahead;
          if (j < text_.size() && text_[j] == '/') folder_ahead |= after[j + 1];
          break;
        case Form::character:
        case Form::set: result[j] = characters(item, after, result, j); break;
      }
    }
    return result;
  }

  bool characters(const Item& item, const std::vector<bool>& after, const std::vector<bool>& result, std::size_t j) const {
    if (item.times == Times::optional && after[j]) return true;
    if (j == text_.size() || item.characters.find(text_[j]) == std::string::npos) return false;
    return after[j + 1] || (item.times == Times::repeated && result[j + 1]);
  }

  const std::vector<Item>& items_;
  std::string_view text_;
};

}  // namespace

bool glob_match(std::string_view pattern, std::string_view text) {
  const auto parsed = PatternParser(pattern).run();
  return Matcher(parsed.items, text).run();
}

bool filter_matches(const std::vector<std::string>& patterns, std::string_view text) {
  bool included = false;
  for (const auto& pattern : patterns) {
    const bool negated = pattern.starts_with('!');
    if (negated == included && glob_match(std::string_view(pattern).substr(negated ? 1 : 0), text)) included = !negated;
  }
  return included;
}

std::string glob_problem(std::string_view pattern) {
  if (pattern.starts_with('!')) pattern.remove_prefix(1);
  if (pattern.empty()) return "the pattern is empty";
  return PatternParser(pattern).run().problem;
}

}  // namespace drydock::parser::workflow
