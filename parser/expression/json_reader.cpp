#include "parser/expression/json_reader.h"

#include <charconv>
#include <cstdlib>
#include <optional>

#include "parser/expression/text.h"

namespace drydock::parser::expression {

namespace {

constexpr int k_max_nesting = 512;  // what a reader on a small stack still bears

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::variant<Value, JsonProblem> read() {
    Value value = read_value(0);
    skip_blanks();
    if (!problem_ && at_ < text_.size()) fail("unexpected text after the value");
    if (problem_) return *problem_;
    return value;
  }

 private:
  Value fail(std::string what) {
    if (!problem_) problem_ = JsonProblem{std::move(what), at_};
    return {};
  }

  void skip_blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  bool take(char expected) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != expected) return false;
    ++at_;
    return true;
  }

  Value read_word(std::string_view word, Value value) {
    if (text_.substr(at_, word.size()) != word) return fail("unexpected character");
    at_ += word.size();
    return value;
  }

  Value read_value(int nesting) {
    skip_blanks();
    if (at_ >= text_.size()) return fail("unexpected end");
    if (nesting > k_max_nesting) return fail("nested too deeply");
    switch (text_[at_]) {
      case '{':
        return read_object(nesting);
      case '[':
        return read_array(nesting);
      case '"':
        return read_string();
      case 't':
        return read_word("true", true);
      case 'f':
        return read_word("false", false);
      case 'n':
        return read_word("null", {});
      default:
        return read_number();
    }
  }

  Value read_array(int nesting) {
    ++at_;
    Items items;
    if (take(']')) return items;
    do {
      items.push_back(read_value(nesting + 1));
      if (problem_) return {};
    } while (take(','));
    if (!take(']')) return fail("expected ',' or ']'");
    return items;
  }

  Value read_object(int nesting) {
    ++at_;
    Object object;
    if (take('}')) return object;
    do {
      skip_blanks();
      if (at_ >= text_.size() || text_[at_] != '"') return fail("expected a name in double quotes");
      std::string name = read_string();
      if (problem_) return {};
      if (!take(':')) return fail("expected ':'");
      Value value = read_value(nesting + 1);
      if (problem_) return {};
      add(object, std::move(name), std::move(value));
    } while (take(','));
    if (!take('}')) return fail("expected ',' or '}'");
    return object;
  }

  // The same name again replaces; one that differs in case alone is passed over.
  static void add(Object& object, std::string name, Value value) {
    if (!object.find(name)) {
      object.add(std::move(name), std::move(value));
      return;
    }
    for (const auto& member : object) {
      if (member.name == name) {
        object.set(std::move(name), std::move(value));
        return;
      }
    }
  }

  Value read_number() {
    const std::size_t begin = at_;
    const auto digits = [&] {
      const std::size_t from = at_;
      while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
      return at_ - from;
    };
    const auto next_is = [&](char c) { return at_ < text_.size() && text_[at_] == c; };
    if (next_is('-')) ++at_;
    const bool zero = next_is('0');
    const auto whole = digits();
    if (whole == 0) return at_ == begin ? fail("unexpected character") : fail("expected a digit");
    if (zero && whole > 1) return fail("a number must not begin with 0");
    if (next_is('.')) {
      ++at_;
      if (digits() == 0) return fail("expected a digit");
    }
    if (next_is('e') || next_is('E')) {
      ++at_;
      if (next_is('+') || next_is('-')) ++at_;
      if (digits() == 0) return fail("expected a digit");
    }
    return parse_number(text_.substr(begin, at_ - begin));
  }

  std::optional<char32_t> read_hex() {
    if (at_ + 4 > text_.size()) return std::nullopt;
    std::uint32_t code = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, begin + 4, code, 16);
    if (error != std::errc{} || end != begin + 4) return std::nullopt;
    at_ += 4;
    return code;
  }

  bool read_escape(std::string& out) {
    if (at_ >= text_.size()) return false;
    switch (text_[at_++]) {
      case '"':
        out += '"';
        return true;
      case '\\':
        out += '\\';
        return true;
      case '/':
        out += '/';
        return true;
      case 'b':
        out += '\b';
        return true;
      case 'f':
        out += '\f';
        return true;
      case 'n':
        out += '\n';
        return true;
      case 'r':
        out += '\r';
        return true;
      case 't':
        out += '\t';
        return true;
      case 'u':
        break;
      default:
        return false;
    }
    auto code = read_hex();
    if (!code) return false;
    constexpr char32_t k_replacement = 0xFFFD;
    if (*code >= 0xD800 && *code < 0xDC00 && text_.substr(at_, 2) == "\\u") {
      const std::size_t back = at_;
      at_ += 2;
      const auto low = read_hex();
      if (!low) return false;
      if (*low >= 0xDC00 && *low < 0xE000) {
        append_utf8(out, 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00));
        return true;
      }
      at_ = back;
    }
    // Half of a pair has no form in UTF-8.
    append_utf8(out, *code >= 0xD800 && *code < 0xE000 ? k_replacement : *code);
    return true;
  }

  std::string read_string() {
    ++at_;
    std::string out;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return out;
      }
      if (static_cast<unsigned char>(c) < 0x20) {
        fail("control character in a string");
        return {};
      }
      ++at_;
      if (c != '\\') {
        out += c;
      } else if (!read_escape(out)) {
        fail("invalid escape in a string");
        return {};
      }
    }
    fail("unexpected end of a string");
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::optional<JsonProblem> problem_;
};

}  // namespace

std::variant<Value, JsonProblem> read_json_text(std::string_view text) {
  return Reader(text).read();
}

}  // namespace drydock::parser::expression
