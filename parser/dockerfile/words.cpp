#include "parser/dockerfile/words.h"

#include <utility>

#include "parser/dockerfile/glob.h"
#include "parser/dockerfile/text.h"

namespace drydock::parser::dockerfile {

namespace {

struct WordFailure {
  std::string message;
};

constexpr char32_t k_end = 0xFFFFFFFF;

// Builds the list of words beside the single text.
class WordList {
 public:
  void add(char32_t c) {
    if (!is_space(c)) {
      add_raw(c);
    } else if (!current_.empty()) {
      words_.push_back(std::exchange(current_, {}));
    }
  }
  void add_raw(char32_t c) { append(current_, c); }
  void add(std::u32string_view text) {
    for (const char32_t c : text) add(c);
  }
  void add_raw(std::u32string_view text) { current_ += encode(text); }
  std::vector<std::string> take() && {
    if (!current_.empty()) words_.push_back(std::move(current_));
    return std::move(words_);
  }

 private:
  std::vector<std::string> words_;
  std::string current_;
};

// Nesting inside ${X:-${Y:-…}} is the user's text; a limit keeps the stack safe.
constexpr int k_depth_limit = 200;

class Expander {
 public:
  Expander(std::string_view word, const EnvLookup& env, const WordOptions& options)
      : text_(decode(word)), env_(env), options_(options), keep_escapes_(options.escapes == Escapes::keep) {}

  Expansion run() {
    Expansion result;
    try {
      WordList words;
      result.text = encode(until(k_end, keep_escapes_, &words));
      result.words = std::move(words).take();
    } catch (const WordFailure& failure) {
      result.error = failure.message;
    }
    result.used = std::move(used_);
    result.unmatched = std::move(unmatched_);
    return result;
  }

 private:
  char32_t peek() const { return at_ < text_.size() ? text_[at_] : k_end; }
  char32_t next() { return at_ < text_.size() ? text_[at_++] : k_end; }
  char32_t escape() const { return static_cast<unsigned char>(options_.escape); }

  std::u32string until(char32_t stop, bool keep_escapes, WordList* words) {
    if (++depth_ > k_depth_limit) throw WordFailure{"substitutions are nested too deeply"};
    const bool outer_keep = std::exchange(keep_escapes_, keep_escapes);
    std::u32string out;
    while (peek() != k_end && peek() != stop) step(out, words);
    if (stop != k_end && peek() == k_end) {
      throw WordFailure{"unexpected end while looking for the matching " + encode(std::u32string(1, stop))};
    }
    if (stop != k_end) next();
    keep_escapes_ = outer_keep;
    --depth_;
    return out;
  }

  void step(std::u32string& out, WordList* words) {
    const char32_t c = peek();
    const bool quotes = options_.quotes != Quotes::literal;
    if (c == U'$') {
      const auto value = dollar();
      out += value;
      if (words != nullptr) words->add(value);
    } else if (c == U'<' || (quotes && (c == U'\'' || c == U'"'))) {
      const auto value = c == U'<' ? heredoc_start() : c == U'"' ? double_quoted() : single_quoted();
      out += value;
      if (words != nullptr) words->add_raw(value);
    } else {
      plain(out, words);
    }
  }

  void plain(std::u32string& out, WordList* words) {
    char32_t c = next();
    if (c != escape()) {
      out += c;
      if (words != nullptr) words->add(c);
      return;
    }
    if (keep_escapes_) {
      out += c;
      if (words != nullptr) words->add_raw(c);
    }
    c = next();
    if (c == k_end) return;  // an escape at the very end stands for nothing
    out += c;
    if (words != nullptr) words->add_raw(c);
  }

  // The blanks between << and its word belong to the word.
  std::u32string heredoc_start() {
    next();
    if (peek() != U'<') return U"<";
    next();
    std::u32string out = U"<<";
    while (peek() == U' ' || peek() == U'\t' || peek() == U'\r') out += next();
    return out;
  }

  std::u32string single_quoted() {
    std::u32string out;
    const char32_t quote = next();
    if (options_.quotes == Quotes::keep) out += quote;
    while (peek() != U'\'') {
      if (peek() == k_end) throw WordFailure{"unexpected end while looking for the matching single quote"};
      out += next();
    }
    next();
    if (options_.quotes == Quotes::keep) out += quote;
    return out;
  }

  std::u32string double_quoted() {
    std::u32string out;
    const char32_t quote = next();
    if (options_.quotes == Quotes::keep) out += quote;
    while (peek() != U'"') {
      if (peek() == k_end) throw WordFailure{"unexpected end while looking for the matching double quote"};
      if (peek() == U'$') {
        out += dollar();
        continue;
      }
      char32_t c = next();
      if (c == escape()) {
        if (keep_escapes_) out += c;
        if (peek() == k_end) continue;
        // Inside double quotes an escape means something before these only, and is itself otherwise.
        if (peek() == U'"' || peek() == U'$' || peek() == escape()) c = next();
      }
      out += c;
    }
    next();
    if (options_.quotes == Quotes::keep) out += quote;
    return out;
  }

  std::u32string dollar() {
    next();
    if (peek() == U'{') return braced();
    const auto variable = name();
    if (variable.empty()) return U"$";
    const auto value = get(variable);
    if (!value && options_.unset == Unset::keep) return U"$" + variable;
    return value.value_or(U"");
  }

  std::u32string braced() {
    next();
    if (peek() == k_end) throw WordFailure{"missing '}' after '${'"};
    if (peek() == U'{' || peek() == U'}' || peek() == U':') throw WordFailure{"bad substitution: ${ needs a name"};
    const auto variable = name();
    char32_t modifier = next();
    std::u32string modifier_text(1, modifier);
    bool empty_is_unset = false;
    if (modifier == k_end) throw WordFailure{"missing '}' after '${" + encode(variable) + "'"};
    if (modifier == U'}') {
      const auto value = get(variable);
      if (!value && options_.unset == Unset::keep) return U"${" + variable + U"}";
      return value.value_or(U"");
    }
    if (modifier == U'/') return replaced(variable);
    if (modifier == U':') {
      empty_is_unset = true;
      modifier = next();
      if (modifier == k_end) throw WordFailure{"missing '}' after '${" + encode(variable) + ":'"};
      modifier_text += modifier;
    }
    const bool pattern = modifier == U'#' || modifier == U'%';
    const bool known = pattern || modifier == U'+' || modifier == U'-' || modifier == U'?';
    if (!known || (pattern && empty_is_unset)) throw unsupported(modifier_text);
    return modified(variable, modifier, modifier_text, empty_is_unset);
  }

  std::u32string modified(const std::u32string& variable, char32_t modifier, const std::u32string& modifier_text,
                          bool empty_is_unset) {
    const bool pattern = modifier == U'#' || modifier == U'%';
    const auto word = operand(U'}', pattern);
    const auto value = get(variable);
    if (!value && options_.unset == Unset::keep) return U"${" + variable + modifier_text + word + U"}";
    const bool missing = !value || (empty_is_unset && value->empty());
    if (modifier == U'-') return missing ? word : *value;
    if (modifier == U'+') return missing ? U"" : word;
    if (modifier == U'?') {
      if (!missing) return *value;
      const std::string why = !word.empty() ? encode(word)
                              : !value      ? "is not allowed to be unset"
                                            : "is not allowed to be empty";
      throw WordFailure{encode(variable) + ": " + why};
    }
    const bool doubled = !word.empty() && word[0] == modifier;
    const auto compiled = compile(std::u32string_view(word).substr(doubled ? 1 : 0));
    const auto extent = doubled ? Extent::longest : Extent::shortest;
    const auto text = value.value_or(U"");
    return modifier == U'#' ? compiled.trim_prefix(text, extent) : compiled.trim_suffix(text, extent);
  }

  std::u32string replaced(const std::u32string& variable) {
    const bool all = peek() == U'/';
    if (all) next();
    const auto pattern = operand(U'/', true);
    const auto with = operand(U'}', true);
    const auto value = get(variable);
    if (!value && options_.unset == Unset::keep) {
      return U"${" + variable + (all ? U"//" : U"/") + pattern + U"/" + with + U"}";
    }
    return compile(pattern).replace(value.value_or(U""), with,
                                    all ? ValuePattern::Count::all : ValuePattern::Count::first);
  }

  std::u32string operand(char32_t stop, bool keep_escapes) { return until(stop, keep_escapes, nullptr); }

  static ValuePattern compile(std::u32string_view text) {
    std::string error;
    auto pattern = ValuePattern::compile(text, error);
    if (!pattern) throw WordFailure{error};
    return *pattern;
  }

  static WordFailure unsupported(const std::u32string& modifier) {
    return {"unsupported modifier (" + encode(modifier) + ") in substitution"};
  }

  std::u32string name() {
    std::u32string out;
    if (is_digit(peek())) {
      while (is_digit(peek())) out += next();
      return out;
    }
    constexpr std::u32string_view k_special = U"@*#?-$!";
    if (peek() != k_end && k_special.find(peek()) != std::u32string_view::npos) return {next()};
    while (peek() != k_end && (is_letter(peek()) || is_digit(peek()) || peek() == U'_')) out += next();
    return out;
  }

  std::optional<std::u32string> get(const std::u32string& variable) {
    const auto key = encode(variable);
    auto value = env_ ? env_(key) : std::nullopt;
    (value ? used_ : unmatched_).insert(key);
    if (!value) return std::nullopt;
    return decode(*value);
  }

  std::u32string text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  const EnvLookup& env_;
  const WordOptions& options_;
  bool keep_escapes_;
  VariableNames used_, unmatched_;
};

}  // namespace

EnvLookup lookup_in(const Variables& variables) {
  return [&variables](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

Expansion expand_word(std::string_view word, const EnvLookup& env, const WordOptions& options) {
  return Expander(word, env, options).run();
}

}  // namespace drydock::parser::dockerfile
