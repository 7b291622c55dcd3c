#pragma once
// The patterns of ${X#p}, ${X%p} and ${X/p/w}: `*`, `?`, backslash. No brackets; a dot is a dot.
// Pure; thread-safe.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::dockerfile {

enum class Extent { shortest, longest };

class ValuePattern {
 public:
  /// Nothing for an escape of a character that needs none; `error` then says so.
  static std::optional<ValuePattern> compile(std::u32string_view text, std::string& error);

  /// The value without the prefix or suffix that matches; unchanged when none does.
  std::u32string trim_prefix(std::u32string_view value, Extent extent) const;
  std::u32string trim_suffix(std::u32string_view value, Extent extent) const;

  /// The leftmost longest match replaced, or each of them.
  enum class Count { first, all };
  std::u32string replace(std::u32string_view value, std::u32string_view with, Count count) const;

 private:
  struct Token {
    enum class Kind { literal, any, many };
    Kind kind = Kind::literal;
    char32_t value = 0;
  };
  static std::optional<std::size_t> match(const std::vector<Token>& tokens, std::u32string_view value, Extent extent);

  std::vector<Token> tokens_;
};

}  // namespace drydock::parser::dockerfile
