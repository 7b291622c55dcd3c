#include "executors/base/masker_variants.h"

#include <algorithm>

#include "executors/base/base64.h"
#include "executors/base/json.h"

namespace drydock {
namespace {

constexpr std::size_t k_shortest_secret = 2;
constexpr std::size_t k_shortest_line = 3;  // a JSON secret has lines such as "}" and "},"
constexpr std::size_t k_shortest_encoded = 4;

/// The digits that depend on the secret alone when `before` unknown bytes precede it in its group of three.
std::string base64_inside(std::string_view secret, std::size_t before, Base64 form) {
  const auto whole = encode_base64(std::string(before, '\0') + std::string(secret), form);
  const auto first = (before * 8 + 5) / 6;
  const auto end = (before + secret.size()) * 8 / 6;
  return end > first ? whole.substr(first, end - first) : std::string();
}

std::string percent(std::string_view text, std::string_view hex_digits, bool space_as_plus) {
  std::string out;
  for (const unsigned char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += static_cast<char>(c);
    } else if (c == ' ' && space_as_plus) {
      out += '+';
    } else {
      out += '%';
      out += hex_digits[c >> 4];
      out += hex_digits[c & 15];
    }
  }
  return out;
}

std::string replaced(std::string_view text, const std::vector<std::pair<char, std::string_view>>& table) {
  std::string out;
  for (const char c : text) {
    const auto row =
        std::find_if(table.begin(), table.end(), [c](const auto& entry) { return entry.first == c; });
    if (row == table.end()) {
      out += c;
    } else {
      out += row->second;
    }
  }
  return out;
}

std::string json_inside(std::string_view text) {
  const auto quoted = dump_json(Json(std::string(text)));
  return quoted.substr(1, quoted.size() - 2);
}

std::string_view trimmed(std::string_view text, std::string_view what) {
  const auto first = text.find_first_not_of(what);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(what) - first + 1);
}

void add_encodings(std::string_view secret, std::vector<std::string>& forms) {
  std::vector<std::string> encoded = {
      encode_base64(secret),
      encode_base64(secret, Base64::url),
      percent(secret, "0123456789ABCDEF", false),
      percent(secret, "0123456789abcdef", false),
      percent(secret, "0123456789ABCDEF", true),
      json_inside(secret),
      replaced(secret, {{'\'', "''"}}),
      replaced(secret, {{'"', "\\\""}}),
      replaced(secret, {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&apos;"}}),
  };
  for (const auto form : {Base64::standard, Base64::url}) {
    for (std::size_t before = 0; before < 3; ++before)
      encoded.push_back(base64_inside(secret, before, form));
  }
  for (auto& form : encoded) {
    if (form.size() >= k_shortest_encoded) forms.push_back(std::move(form));
  }
}

}  // namespace

std::vector<std::string> forms_of_secret(std::string_view secret) {
  std::vector<std::string> forms;
  const auto core = trimmed(secret, " \t\r\n");
  if (core.size() < k_shortest_secret) return forms;
  // Output seldom keeps a secret's outer blanks.
  for (const auto whole : {secret, core, trimmed(core, "\"")}) {
    if (whole.size() < k_shortest_secret) continue;
    forms.emplace_back(whole);
    add_encodings(whole, forms);
  }
  if (core.find_first_of("\r\n") != std::string_view::npos) {
    for (std::string_view rest = core; !rest.empty();) {
      const auto end = rest.find_first_of("\r\n");
      const auto line = trimmed(rest.substr(0, end), " \t");
      if (line.size() >= k_shortest_line) {
        forms.emplace_back(line);
        add_encodings(line, forms);
      }
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
  }
  std::sort(forms.begin(), forms.end());
  forms.erase(std::unique(forms.begin(), forms.end()), forms.end());
  return forms;
}

}  // namespace drydock
