#include "executors/step/hash_files.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "executors/base/file_glob.h"
#include "executors/oci/digest.h"
#include "parser/expression/value.h"

namespace drydock::step {
namespace {

constexpr std::string_view k_follow_links = "--follow-symbolic-links";

using Clock = std::chrono::steady_clock;

struct Patterns {
  std::string lines, shown;
  bool follow_links = false;
};

Result<Patterns> patterns_of(std::span<const std::string> arguments) {
  Patterns patterns;
  if (!arguments.empty() && arguments.front().starts_with("--")) {
    if (!parser::expression::equal_ignoring_case(arguments.front(), k_follow_links)) {
      return make_error(ErrorCode::invalid_input, "Invalid glob option " + arguments.front() + ", available option: '" +
                                                      std::string(k_follow_links) + "'.");
    }
    patterns.follow_links = true;
    arguments = arguments.subspan(1);
  }
  for (const auto& argument : arguments) {
    patterns.lines += argument + "\n";
    patterns.shown += (patterns.shown.empty() ? "" : ", ") + argument;
  }
  return patterns;
}

/// The 32 bytes that "sha256:<hex>" spells.
std::string bytes_of(const oci::Digest& digest) {
  const auto hex = digest.hex();
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

Result<std::string> hash_of_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) return errno_error("reading " + path, errno);
  oci::Sha256 hash;
  auto buffer = std::make_unique<std::array<char, 256 * 1024>>();
  while (const auto read = std::fread(buffer->data(), 1, buffer->size(), file.get())) hash.update(buffer->data(), read);
  if (std::ferror(file.get()) != 0) return errno_error("reading " + path, errno);
  return bytes_of(hash.finish());
}

Result<std::string> hash_of_all(const Patterns& patterns, const HashFilesPlace& place) {
  const auto end = Clock::now() + place.limit;
  FileGlobOptions options;
  options.directory = place.workspace;
  options.home = place.home;
  options.follow_links = patterns.follow_links;
  DRYDOCK_ASSIGN(const auto glob, FileGlob::parse(patterns.lines, options));
  DRYDOCK_ASSIGN(const auto paths, glob.find());
  oci::Sha256 all;
  for (const auto& path : paths) {
    if (!path.starts_with(place.workspace + "/")) continue;
    // A link is followed here, whatever the walk did: one to a directory is passed over, a broken one is an error.
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return errno_error("looking at " + path, errno);
    if (S_ISDIR(status.st_mode)) continue;
    if (!S_ISREG(status.st_mode)) return make_error(ErrorCode::invalid_input, path + " is no file");
    if (Clock::now() > end) return make_error(ErrorCode::timeout, "");
    DRYDOCK_ASSIGN(const auto hash, hash_of_file(path));
    all.update(hash);
  }
  return all.size() == 0 ? std::string{} : std::string(all.finish().hex());
}

}  // namespace

Result<std::string> hash_files(std::span<const std::string> arguments, const HashFilesPlace& place) {
  DRYDOCK_ASSIGN(const auto patterns, patterns_of(arguments));
  auto hash = hash_of_all(patterns, place);
  if (hash.ok()) return hash;
  const std::string call = "hashFiles('" + patterns.shown + "')";
  if (hash.error().code == ErrorCode::timeout) {
    return make_error(ErrorCode::timeout, call + " couldn't finish within " + std::to_string(place.limit.count()) + " seconds.",
                      "name fewer files");
  }
  Error error = std::move(hash).error();
  error.message = call + " failed. Fail to hash files under directory '" + place.workspace + "': " + error.message;
  return error;
}

}  // namespace drydock::step
