#include "executors/actions/pep440.h"

#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "executors/actions/text.h"
#include "executors/base/text.h"

namespace drydock::actions {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

std::string whole(double value) {
  char text[400];
  std::snprintf(text, sizeof text, "%.0f", value);
  return text;
}

/// Eats pieces of a lower-case version from the left.
class VersionReader {
 public:
  explicit VersionReader(std::string text) : text_(std::move(text)) {}

  bool at_end() const { return at_ == text_.size(); }
  std::size_t mark() const { return at_; }
  void back_to(std::size_t mark) { at_ = mark; }

  bool eat(std::string_view word) {
    if (!std::string_view(text_).substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void eat_separator() {
    if (at_ < text_.size() && std::string_view("-_.").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  std::optional<double> number() {
    const auto start = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    if (at_ == start) return std::nullopt;
    return std::strtod(text_.substr(start, at_ - start).c_str(), nullptr);
  }
  /// "[-_.]?word[-_.]?number?"; nothing eaten when none of the words is there.
  std::optional<std::pair<std::string, double>> labelled(std::initializer_list<std::string_view> words) {
    const auto start = at_;
    eat_separator();
    for (const auto word : words) {
      if (!eat(word)) continue;
      const auto after_word = at_;
      eat_separator();
      const auto value = number();
      if (!value) at_ = after_word;
      return std::pair{std::string(word), value.value_or(0)};
    }
    at_ = start;
    return std::nullopt;
  }
  std::string rest() { return text_.substr(std::exchange(at_, text_.size())); }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

bool read_release(VersionReader& reader, PythonVersion& out) {
  const auto first = reader.number();
  if (!first) return false;
  if (reader.eat("!")) {
    out.epoch = *first;
    const auto next = reader.number();
    if (!next) return false;
    out.release.push_back(*next);
  } else {
    out.release.push_back(*first);
  }
  for (auto mark = reader.mark(); reader.eat("."); mark = reader.mark()) {
    const auto next = reader.number();
    if (!next) {
      reader.back_to(mark);
      break;
    }
    out.release.push_back(*next);
  }
  return true;
}

void read_suffixes(VersionReader& reader, PythonVersion& out) {
  if (const auto pre = reader.labelled({"alpha", "a", "beta", "b", "preview", "pre", "c", "rc"})) {
    out.pre_letter = pre->first == "alpha" ? "a" : pre->first == "beta" ? "b" : pre->first.size() > 1 || pre->first == "c" ? "rc" : pre->first;
    out.pre_number = pre->second;
  }
  const auto mark = reader.mark();
  if (const auto post = reader.labelled({"post", "rev", "r"})) {
    out.post = post->second;
  } else if (reader.eat("-")) {
    out.post = reader.number();
    if (!out.post) reader.back_to(mark);
  }
  if (const auto dev = reader.labelled({"dev"})) out.dev = dev->second;
}

/// Letters and digits in pieces between ".", "-" and "_"; numbers lose leading zeros. The pieces are joined by
/// commas, other than PEP 440 says: so does the library of the original, and tags must come out the same.
bool read_local(std::string text, PythonVersion& out) {
  for (char& c : text) {
    if (c == '-' || c == '_') c = '.';
  }
  std::vector<std::string> parts;
  for (auto& part : split(text, '.')) {
    bool numeric = !part.empty();
    for (const char c : part) {
      if (!std::isalnum(static_cast<unsigned char>(c))) return false;
      numeric = numeric && is_digit(c);
    }
    if (part.empty()) return false;
    parts.push_back(numeric ? whole(std::strtod(part.c_str(), nullptr)) : part);
  }
  out.local = join(parts, ",");
  return true;
}

}  // namespace

std::string PythonVersion::clean() const {
  std::string out = epoch != 0 ? whole(epoch) + "!" : "";
  for (std::size_t i = 0; i < release.size(); ++i) out += (i ? "." : "") + whole(release[i]);
  if (!pre_letter.empty()) out += pre_letter + whole(pre_number);
  if (post) out += ".post" + whole(*post);
  if (dev) out += ".dev" + whole(*dev);
  return local.empty() ? out : out + "+" + local;
}

std::optional<PythonVersion> parse_pep440(std::string_view text) {
  PythonVersion out;
  VersionReader reader(lower(text));
  reader.eat("v");
  if (!read_release(reader, out)) return std::nullopt;
  read_suffixes(reader, out);
  if (reader.eat("+") && !read_local(reader.rest(), out)) return std::nullopt;
  if (!reader.at_end()) return std::nullopt;
  return out;
}

}  // namespace drydock::actions
