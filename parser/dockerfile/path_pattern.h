#pragma once
// One pattern over slash-separated paths: * ? [a-z] \x within a name, ** across names, ! for an exception.
// Pure; a compiled pattern is immutable.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drydock::parser::dockerfile {

class PathPattern {
 public:
  /// Nothing when the pattern is malformed (lone "!", unclosed bracket, trailing backslash).
  static std::optional<PathPattern> compile(std::string_view text);

  bool exception() const { return exception_; }
  const std::string& text() const { return text_; }

  /// The path itself.
  bool matches(std::string_view path) const;
  /// The path or one of its parents.
  bool matches_or_parent(std::string_view path) const;
  /// False only when no path below `directory` can match.
  bool may_match_below(std::string_view directory) const;

 private:
  enum class Kind { exact, prefix, suffix, general };
  struct Token {
    enum class Kind : std::uint8_t { literal, any_char, any_name, any_dirs, any_rest, char_class };
    Kind kind = Kind::literal;
    char32_t value = 0;                                   // literal
    bool negated = false;                                 // char_class
    std::vector<std::pair<char32_t, char32_t>> ranges{};  // char_class
  };

  bool tokenize();
  bool read_class(std::string_view pattern, std::size_t& at);
  class Walk;
  enum class Parents { left_out, count };
  bool match_tokens(std::string_view path, Parents parents) const;
  static bool fits(const Token& token, char32_t value);

  std::string text_;      // cleaned, without '!'
  std::string literal_;   // for exact, prefix, suffix
  Kind kind_ = Kind::exact;
  std::vector<Token> tokens_;
  bool exception_ = false;
};

}  // namespace drydock::parser::dockerfile
