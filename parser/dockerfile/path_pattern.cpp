#include "parser/dockerfile/path_pattern.h"

#include <algorithm>

#include "parser/dockerfile/text.h"

namespace drydock::parser::dockerfile {

namespace {

// Without "//", "." and ".." parts, as a path; a leading slash stays.
std::string cleaned(std::string_view path) {
  const bool rooted = path.starts_with('/');
  std::vector<std::string> parts;
  for (auto& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (part != ".." || !rooted) {
      parts.push_back(std::move(part));
    }
  }
  const auto text = (rooted ? "/" : "") + join(parts, "/");
  return text.empty() ? "." : text;
}

struct Read {
  char32_t value;
  std::size_t length;
};

// One code point at the front; a wrong byte counts as itself.
Read read(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (length == 1 || length > text.size()) return {first, 1};
  const auto points = decode(text.substr(0, length));
  return points.size() == 1 ? Read{points[0], length} : Read{first, 1};
}

}  // namespace

std::optional<PathPattern> PathPattern::compile(std::string_view text) {
  auto trimmed = trim(text);
  PathPattern pattern;
  if (trimmed.starts_with('!')) {
    pattern.exception_ = true;
    trimmed = trim(trimmed.substr(1));
  }
  if (trimmed.empty()) return std::nullopt;
  pattern.text_ = cleaned(trimmed);
  if (pattern.text_.size() > 1 && pattern.text_[0] == '/') pattern.text_.erase(0, 1);
  if (!pattern.tokenize()) return std::nullopt;
  return pattern;
}

bool PathPattern::tokenize() {
  const std::string_view pattern = text_;
  bool plain = true;  // only literals so far
  bool leading_double = false;
  bool plain_after_double = true;
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    Token token;
    if (c == '*' && i + 1 < pattern.size() && pattern[i + 1] == '*') {
      leading_double = leading_double || i == 0;
      plain_after_double = plain_after_double && i == 0;
      const auto stars = i;
      i += 2;
      if (i < pattern.size() && pattern[i] == '/') ++i;
      token.kind = i == pattern.size() ? Token::Kind::any_rest : Token::Kind::any_dirs;
      if (token.kind == Token::Kind::any_rest && plain && !leading_double) {
        // "dir/**": the literal part is a prefix; a slash before the stars belongs to it.
        kind_ = Kind::prefix;
        literal_ = pattern.substr(0, stars);
        return true;
      }
      plain = false;
    } else if (c == '*' || c == '?') {
      token.kind = c == '*' ? Token::Kind::any_name : Token::Kind::any_char;
      plain = plain_after_double = false;
      ++i;
    } else if (c == '[') {
      tokens_.push_back({Token::Kind::char_class});
      if (!read_class(pattern, i)) return false;
      plain = plain_after_double = false;
      continue;
    } else if (c == '\\') {
      if (++i == pattern.size()) return false;
      const auto [value, length] = read(pattern.substr(i));
      token.value = value;
      plain = plain_after_double = false;
      i += length;
    } else {
      const auto [value, length] = read(pattern.substr(i));
      token.value = value;
      i += length;
    }
    tokens_.push_back(std::move(token));
  }
  if (plain) {
    kind_ = Kind::exact;
    literal_ = text_;
  } else if (leading_double && plain_after_double) {
    kind_ = Kind::suffix;
    literal_ = text_.substr(2);
  } else {
    kind_ = Kind::general;
  }
  return true;
}

// "[a-z]", "[^a]"; a backslash takes the next character as it is.
bool PathPattern::read_class(std::string_view pattern, std::size_t& at) {
  Token& token = tokens_.back();
  ++at;
  if (at < pattern.size() && pattern[at] == '^') {
    token.negated = true;
    ++at;
  }
  const auto one = [&]() -> std::optional<char32_t> {
    if (at < pattern.size() && pattern[at] == '\\') ++at;
    if (at >= pattern.size()) return std::nullopt;
    const auto [value, length] = read(pattern.substr(at));
    at += length;
    return value;
  };
  while (at < pattern.size() && (pattern[at] != ']' || token.ranges.empty())) {
    if (pattern[at] == ']' || pattern[at] == '-') return false;
    const auto low = one();
    if (!low) return false;
    auto high = low;
    if (at < pattern.size() && pattern[at] == '-') {
      ++at;
      if (at < pattern.size() && pattern[at] == ']') return false;
      high = one();
      if (!high || *high < *low) return false;
    }
    token.ranges.emplace_back(*low, *high);
  }
  if (at >= pattern.size()) return false;
  ++at;
  return true;
}

bool PathPattern::fits(const Token& token, char32_t value) {
  if (token.kind == Token::Kind::literal) return value == token.value;
  if (token.kind == Token::Kind::any_char) return value != U'/';
  const bool inside = std::any_of(token.ranges.begin(), token.ranges.end(), [value](const auto& range) {
    return value >= range.first && value <= range.second;
  });
  return inside != token.negated;
}

// All the places of the pattern that a beginning of the path can lead to: time grows with the pattern and the path
// alone, whatever they hold.
class PathPattern::Walk {
 public:
  explicit Walk(const std::vector<Token>& tokens) : tokens_(tokens), now_(tokens.size() + 1, Place::none), next_(now_) {
    enter(now_, 0);
  }

  /// The pattern has taken what was read so far.
  bool accepts() const { return any_rest_ || now_.back() == Place::reached; }

  void read_one(char32_t value) {
    std::fill(next_.begin(), next_.end(), Place::none);
    for (std::size_t token = 0; token < tokens_.size(); ++token) {
      if (now_[token] != Place::none) step(token, value);
    }
    now_.swap(next_);
  }

 private:
  // inside: a `**/` that has begun and waits for a slash; reached: the token's beginning.
  enum class Place : std::uint8_t { none, inside, reached };

  void enter(std::vector<Place>& places, std::size_t token) {
    for (; places[token] != Place::reached; ++token) {
      places[token] = Place::reached;
      if (token == tokens_.size()) return;
      const auto kind = tokens_[token].kind;
      if (kind == Token::Kind::any_rest) any_rest_ = true;
      if (kind != Token::Kind::any_name && kind != Token::Kind::any_dirs) return;
    }
  }

  void step(std::size_t token, char32_t value) {
    switch (tokens_[token].kind) {
      case Token::Kind::any_rest: break;
      case Token::Kind::any_name:
        if (value != U'/') enter(next_, token);
        break;
      case Token::Kind::any_dirs:
        if (next_[token] == Place::none) next_[token] = Place::inside;
        if (value == U'/') enter(next_, token + 1);
        break;
      default:
        if (fits(tokens_[token], value)) enter(next_, token + 1);
    }
  }

  const std::vector<Token>& tokens_;
  std::vector<Place> now_, next_;
  bool any_rest_ = false;
};

bool PathPattern::match_tokens(std::string_view path, Parents parents) const {
  Walk walk(tokens_);
  while (!path.empty()) {
    const auto [value, length] = read(path);
    if (parents == Parents::count && value == U'/' && walk.accepts()) return true;
    walk.read_one(value);
    path.remove_prefix(length);
  }
  return walk.accepts();
}

bool PathPattern::matches(std::string_view path) const {
  switch (kind_) {
    case Kind::exact: return path == literal_;
    case Kind::prefix: return path.starts_with(literal_);
    case Kind::suffix:
      return path.ends_with(literal_) || (literal_.starts_with('/') && path == std::string_view(literal_).substr(1));
    case Kind::general: return match_tokens(path, Parents::left_out);
  }
  return false;
}

bool PathPattern::matches_or_parent(std::string_view path) const {
  if (kind_ == Kind::general) return match_tokens(path, Parents::count);
  if (matches(path)) return true;
  for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    if (matches(path.substr(0, slash))) return true;
  }
  return false;
}

bool PathPattern::may_match_below(std::string_view directory) const {
  const auto below = std::string(directory) + "/";
  if (kind_ == Kind::exact) return literal_.starts_with(below);
  if (kind_ == Kind::suffix) return true;
  if (kind_ == Kind::prefix) return literal_.starts_with(below) || below.starts_with(literal_);
  // The literal beginning rules most directories out; past a wildcard anything may come.
  std::string literal;
  for (const Token& token : tokens_) {
    if (token.kind != Token::Kind::literal) break;
    append(literal, token.value);
  }
  return literal.starts_with(below) || below.starts_with(literal);
}

}  // namespace drydock::parser::dockerfile
