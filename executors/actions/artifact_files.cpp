#include "executors/actions/artifact_files.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "executors/actions/text.h"
#include "executors/base/file_glob.h"
#include "executors/base/fs.h"
#include "executors/base/text.h"

namespace drydock::actions {
namespace {

using Forbidden = std::pair<char, std::string_view>;
constexpr std::array<Forbidden, 11> k_forbidden{{{'"', " Double quote \""}, {':', " Colon :"}, {'<', " Less than <"},
                                                 {'>', " Greater than >"}, {'|', " Vertical bar |"}, {'*', " Asterisk *"},
                                                 {'?', " Question mark ?"}, {'\r', " Carriage return \\r"},
                                                 {'\n', " Line feed \\n"}, {'\\', " Backslash \\"}, {'/', " Forward slash /"}}};
constexpr std::size_t k_for_paths = 9;  // the rest is forbidden in names of artifacts alone

std::string refusal(const std::string& text, std::size_t forbidden, const std::string& what, const std::string& where) {
  for (std::size_t i = 0; i < forbidden; ++i) {
    if (text.find(k_forbidden[i].first) == std::string::npos) continue;
    std::string all;
    for (std::size_t j = 0; j < forbidden; ++j) all += (all.empty() ? "" : ",") + std::string(k_forbidden[j].second);
    return what + ": " + text + ". Contains the following character: " + std::string(k_forbidden[i].second) +
           "\n\nInvalid characters include: " + all + "\n\n" + where;
  }
  return {};
}

}  // namespace

std::string artifact_name_refusal(const std::string& name) {
  if (name.empty()) return "Provided artifact name input during validation is empty";
  return refusal(name, k_forbidden.size(), "The artifact name is not valid",
                 "Not every file system takes these characters, so the artifact could not be downloaded everywhere.");
}

std::string common_root(const std::vector<std::string>& paths) {
  auto same = split(paths.front(), '/');
  for (const auto& path : paths) {
    const auto parts = split(path, '/');
    const auto limit = std::min(same.size(), parts.size());
    std::size_t count = 0;
    while (count < limit && same[count] == parts[count]) ++count;
    same.resize(count);
  }
  const auto root = join(same, "/");
  return root.empty() ? "/" : root;
}

Result<ArtifactFiles> find_artifact_files(const std::string& patterns, const std::string& directory,
                                          const std::string& home, bool hidden) {
  FileGlobOptions options{.directory = directory, .home = home};
  options.hidden = hidden ? HiddenFiles::included : HiddenFiles::left_out;
  options.directories = Directories::left_out;
  DRYDOCK_ASSIGN(const auto glob, FileGlob::parse(patterns, options));
  ArtifactFiles found;
  DRYDOCK_ASSIGN(found.files, glob.find());
  std::set<std::string> seen;
  for (const auto& file : found.files) {
    if (seen.insert(lower(file)).second) continue;
    found.log.push_back("Uploads are case insensitive: " + file +
                        " was detected that it will be overwritten by another file with the same path");
  }
  const auto& paths = glob.search_paths();
  if (paths.size() > 1) {
    found.root = common_root(paths);
    found.log.emplace_back("Multiple search paths detected. Calculating the least common ancestor of all paths");
    found.log.push_back("The least common ancestor is " + found.root + ". This will be the root directory of the artifact");
  } else if (found.files.size() == 1 && paths.front() == found.files.front()) {
    const auto slash = found.files.front().rfind('/');
    found.root = slash == 0 ? "/" : found.files.front().substr(0, slash);
  } else if (!paths.empty()) {
    found.root = paths.front();
  }
  return found;
}

Result<std::vector<ZipSource>> zip_sources(const ArtifactFiles& found) {
  std::vector<ZipSource> sources;
  const auto prefix = found.root == "/" ? found.root : found.root + "/";
  for (const auto& file : found.files) {
    if (!file.starts_with(prefix)) {
      return make_error(ErrorCode::invalid_input,
                        "The rootDirectory: " + found.root + " is not a parent directory of the file: " + file);
    }
    auto name = file.substr(prefix.size());
    auto why = refusal("/" + name, k_for_paths, "The path for one of the files in artifact is not valid",
                       "Not every file system takes these characters, so the artifact could not be downloaded everywhere.");
    if (!why.empty()) return make_error(ErrorCode::invalid_input, std::move(why));
    sources.push_back({file, std::move(name)});
  }
  return sources;
}

}  // namespace drydock::actions
