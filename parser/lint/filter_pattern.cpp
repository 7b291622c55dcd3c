#include "parser/lint/filter_pattern.h"

namespace drydock::parser::lint {

namespace {

class PatternReader {
 public:
  PatternReader(std::string_view pattern, PatternKind kind) : pattern_(pattern), kind_(kind) {}

  std::vector<PatternProblem> run() {
    if (kind_ == PatternKind::path) {
      whole_path();
    }
    if (at_ < pattern_.size() && pattern_[0] == '!') {
      ++at_;
      if (at_ == pattern_.size()) problem(at_, "nothing follows the !");
    }
    if (kind_ == PatternKind::ref && at_ < pattern_.size() && pattern_[at_] == '/')
      problem(at_ + 1, "the name of a branch or tag cannot begin with /");
    while (at_ < pattern_.size()) next();
    if (kind_ == PatternKind::ref && !pattern_.empty() &&
        (pattern_.back() == '/' || pattern_.back() == '.')) {
      problem(pattern_.size(), "the name of a branch or tag cannot end with / or .");
    }
    return std::move(problems_);
  }

 private:
  void problem(std::size_t column, std::string message) {
    problems_.push_back({static_cast<int>(column), std::move(message)});
  }

  void whole_path() {
    auto path = pattern_;
    if (path.starts_with('!')) path.remove_prefix(1);
    if (path == "." || path == ".." || path.starts_with("./") || path.starts_with("../")) {
      problem(0, "a path filter cannot begin with . or ..; it counts from the root of the repository");
    }
    if (path.starts_with(' ') || path.ends_with(' '))
      problem(0, "blanks around a path filter belong to the pattern");
  }

  void invalid_ref(std::size_t column, char c, std::string_view why) {
    problem(column, std::string("'") + c + "' cannot stand in the name of a branch or tag; " +
                        std::string(why) + "; patterns are no regular expressions");
  }

  void next() {
    const char c = pattern_[at_++];
    const auto column = at_;  // from 1
    switch (c) {
      case '\\':
        escape(column);
        special_ = false;
        return;
      case '?':
      case '+':
        if (special_) problem(column, std::string("'") + c + "' must follow an ordinary character");
        special_ = true;
        return;
      case '*':
        special_ = true;
        return;
      case '[':
        characters(column);
        special_ = false;
        return;
      case '\r':
      case '\n':
        problem(column, "a pattern is one line");
        return;
      default:
        break;
    }
    special_ = false;
    if (kind_ == PatternKind::ref && (c == ' ' || c == '\t' || c == '~' || c == '^' || c == ':')) {
      invalid_ref(column, c, "blanks, ~, ^, : [ ? and * are not allowed there");
    }
  }

  void escape(std::size_t column) {
    const char next = at_ < pattern_.size() ? pattern_[at_] : '\0';
    constexpr std::string_view k_special = "[?+*\\!";
    if (next != '\0' && k_special.find(next) != std::string_view::npos) {
      ++at_;
    } else if (kind_ == PatternKind::ref) {
      invalid_ref(column, '\\', "it escapes only [ ? + * \\ and !");
    } else if (next != '\0') {
      ++at_;
    }
  }

  void characters(std::size_t column) {
    if (at_ < pattern_.size() && pattern_[at_] == ']') {
      problem(at_ + 1, "the characters in [] are missing");
      ++at_;
      return;
    }
    while (at_ < pattern_.size() && pattern_[at_] != ']') {
      const char first = pattern_[at_++];
      if (at_ + 1 >= pattern_.size() || pattern_[at_] != '-') continue;
      ++at_;
      const char last = pattern_[at_];
      if (last == ']') {
        problem(at_ + 1, "the end of the range in [] is missing");
        break;
      }
      ++at_;
      if (first > last)
        problem(at_, std::string("the range ") + first + "-" + last + " in [] runs backwards");
    }
    if (at_ >= pattern_.size()) {
      problem(column, "the ] is missing");
      return;
    }
    ++at_;
  }

  std::string_view pattern_;
  PatternKind kind_;
  std::size_t at_ = 0;
  bool special_ = true;  // nothing ordinary stands before
  std::vector<PatternProblem> problems_;
};

}  // namespace

std::vector<PatternProblem> pattern_problems(std::string_view pattern, PatternKind kind) {
  return PatternReader(pattern, kind).run();
}

}  // namespace drydock::parser::lint
