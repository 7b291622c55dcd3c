#include "executors/step/artifact_subjects.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>

#include "executors/base/json.h"
#include "executors/base/text.h"
#include "executors/oci/digest.h"

namespace drydock::step {
namespace fs = std::filesystem;
namespace {

Error refused_entry(std::string why) { return make_error(ErrorCode::invalid_input, std::move(why)); }

std::string without_blanks(std::string_view text) {
  constexpr std::string_view k_blank = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(k_blank);
  return first == text.npos ? std::string() : std::string(text.substr(first, text.find_last_not_of(k_blank) - first + 1));
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool has_scheme(const std::string& entry) {
  const auto end = entry.find("://");
  if (end == entry.npos || end == 0 || !is_letter(entry[0])) return false;
  return std::all_of(entry.begin(), entry.begin() + static_cast<std::ptrdiff_t>(end), [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
}

/// "<reference>@sha256:<hex>", and sha384 and sha512.
struct ImageByDigest {
  std::string reference, algorithm, hex;
  std::size_t expected = 0;
};

std::optional<ImageByDigest> image_by_digest(const std::string& entry) {
  const auto at = entry.rfind('@');
  if (at == entry.npos || at == 0) return std::nullopt;
  for (const auto& [algorithm, digits] : {std::pair{"sha256:", 64}, {"sha384:", 96}, {"sha512:", 128}}) {
    const std::string digest = entry.substr(at + 1), name = algorithm;
    if (!digest.starts_with(name) || digest.size() == name.size()) continue;
    const std::string hex = lower(digest.substr(name.size()));
    if (hex.find_first_not_of("0123456789abcdef") != hex.npos) return std::nullopt;
    return ImageByDigest{entry.substr(0, at), name.substr(0, name.size() - 1), hex, static_cast<std::size_t>(digits)};
  }
  return std::nullopt;
}

Result<std::string> digest_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return errno_error("reading " + path, errno);
  oci::Sha256 hash;
  std::array<char, 65536> bytes;
  while (in) {
    in.read(bytes.data(), bytes.size());
    hash.update(bytes.data(), static_cast<std::size_t>(in.gcount()));
  }
  return hash.finish().to_string();
}

Result<std::string> on_this_machine(const std::string& path, const ArtifactPlaces& places) {
  if (!path.starts_with('/')) return (fs::path(places.workspace) / path).lexically_normal().string();
  if (places.shared.empty()) return path;
  const std::string plain = fs::path(path).lexically_normal();
  for (const auto& [seen, real] : places.shared) {
    if (plain.starts_with(seen + "/")) return real + plain.substr(seen.size());
  }
  return refused_entry("absolute path '" + path + "' is not in a directory that the step shares with its runner");
}

}  // namespace

Result<ArtifactSubjects::Named> ArtifactSubjects::file(const std::string& path, const ArtifactPlaces& places) {
  DRYDOCK_ASSIGN(const std::string real, on_this_machine(path, places));
  std::error_code failure;
  const auto status = fs::status(real, failure);
  if (fs::is_directory(status)) return refused_entry("'" + path + "' is a directory, not a regular file");
  if (!fs::is_regular_file(status)) {
    return refused_entry("file '" + path + "' does not exist" +
                         (path.starts_with('/') ? "" : " (relative paths are resolved against the workspace root '" + places.workspace + "')"));
  }
  DRYDOCK_ASSIGN(std::string digest, digest_of_file(real));
  return Named{fs::path(real).filename().string(), {std::move(digest), "file"}};
}

Result<ArtifactSubjects::Named> ArtifactSubjects::read(const std::string& entry, const ArtifactPlaces& places) {
  if (entry.find('=') != entry.npos) return refused_entry("entries containing '=' are reserved and not permitted");
  const std::string folded = lower(entry);
  if (folded.starts_with("file://")) {
    const std::string path = entry.substr(7);
    if (without_blanks(path).empty()) return refused_entry("file:// entries must include a path");
    return file(path, places);
  }
  const bool says_image = folded.starts_with("oci://");
  if (!says_image && has_scheme(entry)) return refused_entry("unsupported URI scheme");
  const auto image = image_by_digest(says_image ? entry.substr(6) : entry);
  if (says_image && !image) return refused_entry("oci:// entries must include an @sha{256,384,512}:<hex> digest");
  if (says_image && image->hex.size() != image->expected) {
    return refused_entry("digest '" + image->algorithm + "' must be " + std::to_string(image->expected) + " hex characters, got " +
                         std::to_string(image->hex.size()));
  }
  if (!image || image->hex.size() != image->expected) return file(entry, places);
  return Named{image->reference, {image->algorithm + ":" + image->hex, "oci"}};
}

Result<std::size_t> ArtifactSubjects::declare(std::string_view text, const ArtifactPlaces& places) {
  if (text.size() > k_artifacts_file_limit) {
    return make_error(ErrorCode::invalid_input, "$GITHUB_ARTIFACTS file exceeds the maximum size of 1024 KiB (got " +
                                                    std::to_string(text.size() / 1024) + " KiB).");
  }
  std::vector<std::pair<int, Named>> entries;
  const auto at_line = [](int line, const std::string& why) {
    return refused_entry("Invalid $GITHUB_ARTIFACTS entry on line " + std::to_string(line) + ": " + why);
  };
  int line = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const std::string entry = without_blanks(text.substr(begin, end - begin));
    begin = end + 1;
    ++line;
    if (entry.empty() || entry[0] == '#') continue;
    auto subject = read(entry, places);
    if (!subject) return at_line(line, subject.error().message);
    entries.emplace_back(line, std::move(*subject));
  }
  const std::lock_guard lock(mutex_);
  auto all = subjects_;
  for (auto& [number, entry] : entries) {
    auto& [name, subject] = entry;
    const auto known = all.find(name);
    if (known != all.end() && known->second.digest == subject.digest) continue;
    if (known != all.end()) {
      return at_line(number, "Conflicting digest for artifact '" + name + "': previously declared as '" + known->second.digest +
                                 "', now declared as '" + subject.digest + "'.");
    }
    if (all.size() >= k_most_artifacts) {
      return at_line(number, "The job has exceeded the maximum of " + std::to_string(k_most_artifacts) + " declared artifacts.");
    }
    all.emplace(std::move(name), std::move(subject));
  }
  const std::size_t added = all.size() - subjects_.size();
  subjects_ = std::move(all);
  return added;
}

std::string ArtifactSubjects::list() const {
  const std::lock_guard lock(mutex_);
  OrderedJson subjects = OrderedJson::array();
  for (const auto& [name, subject] : subjects_) {
    subjects.push_back({{"name", name}, {"digest", subject.digest}, {"kind", subject.kind}});
  }
  return dump_json(OrderedJson{{"version", 1}, {"subjects", std::move(subjects)}});
}

void ArtifactSubjects::restore(const std::string& list) {
  const auto json = parse_ordered_json(list, "declared artifacts");
  if (!json || !json->is_object() || !json->contains("subjects")) return;
  const std::lock_guard lock(mutex_);
  for (const auto& subject : (*json)["subjects"]) {
    subjects_[json_or(subject, "name", std::string())] = {json_or(subject, "digest", std::string()), json_or(subject, "kind", std::string())};
  }
}

std::size_t ArtifactSubjects::size() const {
  const std::lock_guard lock(mutex_);
  return subjects_.size();
}

}  // namespace drydock::step
