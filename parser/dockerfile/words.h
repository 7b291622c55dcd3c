#pragma once
// Shell words of a Dockerfile: variables, quotes, escapes. Not a shell: no command substitution, no arithmetic.
// Variable values come from a callback. Pure; thread-safe as far as the callback is.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::dockerfile {

using Variables = std::map<std::string, std::string, std::less<>>;
using VariableNames = std::set<std::string, std::less<>>;

/// The value of a variable, nothing when it is not set.
using EnvLookup = std::function<std::optional<std::string>(std::string_view name)>;

/// Looks names up in a map that must outlive the callback.
EnvLookup lookup_in(const Variables& variables);

enum class Quotes {
  remove,   // quotes group, then vanish
  keep,     // quotes group, and stay in the result
  literal,  // quotes are ordinary characters
};
enum class Escapes { remove, keep };
enum class Unset { empty, keep };  // keep: `$X` stays as written

struct WordOptions {
  char escape = '\\';
  Quotes quotes = Quotes::remove;
  Escapes escapes = Escapes::remove;
  Unset unset = Unset::empty;
};

struct Expansion {
  std::string text;                // the whole as one word, blanks kept
  std::vector<std::string> words;  // split at unquoted blanks, after expansion
  VariableNames used;              // variables that were set
  VariableNames unmatched;         // variables that were not
  std::string error;               // why it cannot be expanded; empty on success
  bool ok() const { return error.empty(); }
};

/// Expands $X ${X} ${X-w} ${X:-w} ${X+w} ${X:+w} ${X?w} ${X:?w} ${X#p} ${X##p} ${X%p} ${X%%p} ${X/p/w} ${X//p/w}.
Expansion expand_word(std::string_view word, const EnvLookup& env, const WordOptions& options = {});

}  // namespace drydock::parser::dockerfile
