#include "parser/dockerfile/json_words.h"

#include <optional>
#include <utility>

#include "parser/dockerfile/text.h"

namespace drydock::parser::dockerfile {

namespace {

constexpr int k_json_depth_limit = 1000;
constexpr char32_t k_replacement = 0xFFFD;

// Reads any JSON value, but remembers only strings.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : rest_(text) {}

  JsonWords run() {
    JsonWords result;
    blanks();
    if (!take('[')) return result;
    bool strings_only = true;
    const bool read = list(']', [&] {
      if (peek() == '"') {
        auto word = string();
        if (!word) return false;
        result.words.push_back(std::move(*word));
        return true;
      }
      strings_only = false;
      return value(1);
    });
    blanks();
    if (!read || !rest_.empty()) return {};
    result.kind = strings_only ? JsonWordsKind::strings : JsonWordsKind::other_values;
    return result;
  }

 private:
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool take(char c) {
    if (peek() != c || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void blanks() {
    const auto end = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
  }

  template <class Item>
  bool list(char close, Item item) {
    blanks();
    if (take(close)) return true;
    while (true) {
      blanks();
      if (!item()) return false;
      blanks();
      if (take(close)) return true;
      if (!take(',')) return false;
    }
  }

  bool value(int depth) {
    if (depth > k_json_depth_limit) return false;
    switch (peek()) {
      case '"': return string().has_value();
      case '[': take('['); return list(']', [&] { return value(depth + 1); });
      case '{':
        take('{');
        return list('}', [&] {
          if (!string()) return false;
          blanks();
          if (!take(':')) return false;
          blanks();
          return value(depth + 1);
        });
      case 't': return take("true");
      case 'f': return take("false");
      case 'n': return take("null");
      default: return number();
    }
  }

  bool digits() {
    if (peek() < '0' || peek() > '9') return false;
    while (peek() >= '0' && peek() <= '9') rest_.remove_prefix(1);
    return true;
  }

  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return digits();
    }
    return true;
  }

  std::optional<char32_t> code_unit() {
    char32_t unit = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = peek();
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return std::nullopt;
      unit = unit * 16 + static_cast<char32_t>(digit);
      rest_.remove_prefix(1);
    }
    return unit;
  }

  // Half a surrogate pair is no character: it is replaced, not refused.
  bool unicode_escape(std::string& out) {
    const auto unit = code_unit();
    if (!unit) return false;
    if (*unit < 0xD800 || *unit > 0xDFFF) {
      append(out, *unit);
      return true;
    }
    const auto before = rest_;
    if (*unit < 0xDC00 && take("\\u")) {
      const auto low = code_unit();
      if (!low) return false;
      if (*low >= 0xDC00 && *low <= 0xDFFF) {
        append(out, 0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00));
        return true;
      }
      rest_ = before;
    }
    append(out, k_replacement);
    return true;
  }

  std::optional<std::string> string() {
    if (!take('"')) return std::nullopt;
    std::string out;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return out;
      if (static_cast<unsigned char>(c) < 0x20) return std::nullopt;
      if (c != '\\') {
        out += c;
        continue;
      }
      const char escaped = peek();
      if (!rest_.empty()) rest_.remove_prefix(1);
      constexpr std::string_view k_names = "\"\\/bfnrt", k_values = "\"\\/\b\f\n\r\t";
      if (const auto at = escaped == '\0' ? std::string_view::npos : k_names.find(escaped);
          at != std::string_view::npos) {
        out += k_values[at];
      } else if (escaped != 'u' || !unicode_escape(out)) {
        return std::nullopt;
      }
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

}  // namespace

JsonWords read_json_words(std::string_view text) { return JsonReader(text).run(); }

}  // namespace drydock::parser::dockerfile
