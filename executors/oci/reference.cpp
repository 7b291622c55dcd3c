#include "executors/oci/reference.h"

#include <algorithm>
#include <cctype>

namespace drydock::oci {
namespace {

constexpr std::string_view k_hub = "docker.io";
constexpr std::string_view k_hub_alias = "index.docker.io";
constexpr std::size_t k_longest_name = 255;

Error bad(std::string_view text, const std::string& why) {
  return make_error(ErrorCode::invalid_input, "image reference \"" + std::string(text) + "\": " + why);
}

bool is_lower_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/// One part between slashes: lower-case letters and digits, separated by ".", "_", "__" or any number of "-".
bool is_path_component(std::string_view text) {
  if (text.empty() || !is_lower_alnum(text.front()) || !is_lower_alnum(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (is_lower_alnum(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && !is_lower_alnum(text[end])) ++end;
    const auto separator = text.substr(i, end - i);
    const bool dashes = separator.find_first_not_of('-') == std::string_view::npos;
    if (!dashes && separator != "." && separator != "_" && separator != "__") return false;
    i = end;
  }
  return true;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_host_name(std::string_view text) {
  while (true) {
    const auto dot = text.find('.');
    const auto label = text.substr(0, dot);
    const bool allowed =
        !label.empty() && std::isalnum(static_cast<unsigned char>(label.front())) &&
        std::isalnum(static_cast<unsigned char>(label.back())) &&
        std::all_of(label.begin(), label.end(), [](unsigned char c) { return std::isalnum(c) || c == '-'; });
    if (!allowed) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_domain(std::string_view text) {
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return false;
    const auto address = text.substr(1, close - 1);
    if (address.empty() || address.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos)
      return false;
    const auto rest = text.substr(close + 1);
    return rest.empty() || (rest[0] == ':' && is_port(rest.substr(1)));
  }
  const auto colon = text.find(':');
  if (colon != std::string_view::npos && !is_port(text.substr(colon + 1))) return false;
  return is_host_name(text.substr(0, colon));
}

bool has_upper(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::isupper(c); });
}

/// The first part is a registry only when it looks like one: "a/b" is a repository of Docker Hub.
bool looks_like_domain(std::string_view first) {
  return first == "localhost" || first.find_first_of(".:") != std::string_view::npos ||
         first.starts_with('[') || has_upper(first);
}

Status check_repository(std::string_view text, std::string_view repository) {
  if (repository.empty()) return bad(text, "the repository's name is missing");
  while (true) {
    const auto slash = repository.find('/');
    const auto part = repository.substr(0, slash);
    if (!is_path_component(part)) {
      if (has_upper(part))
        return bad(text, "the repository's name must be lower case: \"" + std::string(part) + "\"");
      return bad(text, part.empty() ? "a part of the name is empty"
                                    : "\"" + std::string(part) + "\" is not a valid part of a name");
    }
    if (slash == std::string_view::npos) return {};
    repository.remove_prefix(slash + 1);
  }
}

}  // namespace

bool is_valid_tag(std::string_view tag) {
  if (tag.empty() || tag.size() > 128 || tag[0] == '.' || tag[0] == '-') return false;
  return std::all_of(tag.begin(), tag.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '.' || c == '-'; });
}

std::string Reference::to_string() const {
  std::string text = name();
  if (!tag.empty()) text += ":" + tag;
  if (!digest.empty()) text += "@" + digest.to_string();
  return text;
}

std::string Reference::familiar() const {
  const auto full = to_string();
  if (domain != k_hub) return full;
  constexpr std::string_view library = "library/";
  auto rest = std::string_view(full).substr(k_hub.size() + 1);
  if (rest.starts_with(library) && repository.find('/', library.size()) == std::string::npos) {
    rest.remove_prefix(library.size());
  }
  return std::string(rest);
}

std::string Reference::tag_or_digest() const {
  if (!digest.empty()) return digest.to_string();
  return tag.empty() ? "latest" : tag;
}

Reference Reference::with_default_tag() const {
  Reference copy = *this;
  if (copy.tag.empty() && copy.digest.empty()) copy.tag = "latest";
  return copy;
}

Reference Reference::with_tag(std::string new_tag) const {
  return {domain, repository, std::move(new_tag), {}};
}

Reference Reference::with_digest(Digest new_digest) const {
  return {domain, repository, {}, std::move(new_digest)};
}

Result<Reference> parse_reference(std::string_view text) {
  if (text.empty()) return bad(text, "it is empty");
  Reference reference;
  auto rest = text;
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    auto digest = Digest::parse(rest.substr(at + 1));
    if (!digest.ok()) {
      auto error = bad(text, digest.error().message);
      error.code = digest.error().code;
      return error;
    }
    reference.digest = std::move(*digest);
    rest = rest.substr(0, at);
  }
  const auto slash = rest.find('/');
  if (slash != std::string_view::npos && looks_like_domain(rest.substr(0, slash))) {
    reference.domain = rest.substr(0, slash);
    if (!is_domain(reference.domain))
      return bad(text, "\"" + reference.domain + "\" is not a valid registry");
    rest.remove_prefix(slash + 1);
  } else {
    reference.domain = k_hub;
  }
  if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
    reference.tag = rest.substr(colon + 1);
    if (!is_valid_tag(reference.tag)) return bad(text, "\"" + reference.tag + "\" is not a valid tag");
    rest = rest.substr(0, colon);
  }
  DRYDOCK_TRY(check_repository(text, rest));
  reference.repository = rest;
  if (reference.domain == k_hub_alias) reference.domain = k_hub;
  if (reference.domain == k_hub && reference.repository.find('/') == std::string::npos) {
    reference.repository = "library/" + reference.repository;
  }
  if (slash == std::string_view::npos && rest.size() == 64 &&
      rest.find_first_not_of("0123456789abcdef") == std::string_view::npos) {
    return bad(text, "64 hex digits are an image's id, not a name");
  }
  if (reference.name().size() > k_longest_name) return bad(text, "the name is longer than 255 characters");
  return reference;
}

}  // namespace drydock::oci
