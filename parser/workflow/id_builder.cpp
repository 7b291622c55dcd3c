#include "parser/workflow/id_builder.h"

#include <algorithm>

namespace drydock::parser::workflow {

namespace {

constexpr std::size_t k_longest_id = 100;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_legal(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

bool is_valid(std::string_view id) {
  if (id.empty() || id.size() >= k_longest_id) return false;
  return (is_letter(id[0]) || id[0] == '_') && std::all_of(id.begin(), id.end(), is_legal);
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

}  // namespace

bool IdBuilder::take(const std::string& id) { return taken_.insert(lower(id)).second; }

std::optional<std::string> IdBuilder::add(std::string_view id) {
  const auto begin = "The identifier '" + std::string(id) + "' ";
  if (!is_valid(id)) {
    return begin + "is invalid. IDs may only contain alphanumeric characters, '_', and '-'. IDs must start with a "
                   "letter or '_' and and must be less than 100 characters.";
  }
  if (id.starts_with("__")) return begin + "is invalid. IDs starting with '__' are reserved.";
  if (!take(std::string(id))) return begin + "may not be used more than once within the same scope.";
  return std::nullopt;
}

std::string IdBuilder::make(std::string_view hint) {
  std::string original = "__";
  // GitHub replaces UTF-16 units, of which characters beyond U+FFFF have two.
  for (const char c : hint) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80) continue;
    original += is_legal(c) ? c : '_';
    if (byte >= 0xF0) original += '_';
  }
  for (int attempt = 1;; ++attempt) {
    const auto suffix = attempt == 1 ? std::string{} : "_" + std::to_string(attempt);
    auto candidate = original.substr(0, std::min(original.size(), k_longest_id - suffix.size())) + suffix;
    if (take(candidate)) return candidate;
  }
}

}  // namespace drydock::parser::workflow
