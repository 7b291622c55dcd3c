#include "executors/build/copy_step.h"

#include <algorithm>
#include <cctype>

#include "executors/base/fs.h"
#include "executors/build/archive.h"
#include "executors/build/copy_files.h"
#include "executors/build/remote_file.h"
#include "executors/sandbox/runtime.h"
#include "parser/dockerfile/dockerignore.h"

namespace drydock::build {

namespace {

bool is_url(const std::string& source) { return source.starts_with("http://") || source.starts_with("https://"); }

bool is_git(const std::string& source) {
  return source.starts_with("git@") || source.starts_with("git://") ||
         (is_url(source) && (source.ends_with(".git") || source.find(".git#") != std::string::npos));
}

Ownership ownership_of(const CopyPlan& plan) {
  const bool from_image = plan.source.kind == FileSource::Kind::stage || plan.source.kind == FileSource::Kind::image;
  return from_image && plan.transfer.chown.empty() ? Ownership::counts : Ownership::ignored;
}

Error placed(Error error, const Step& step) {
  return std::move(error).while_("copying for " + step.place.file + ":" + std::to_string(step.place.line));
}

using Excluder = std::function<bool(const std::string&)>;

Result<Excluder> excluder_of(const CopyPlan& plan) {
  if (plan.transfer.exclude.empty()) return Excluder{};
  auto compiled = parser::dockerfile::compile_patterns(plan.transfer.exclude, "--exclude");
  if (parser::has_errors(compiled.diagnostics)) {
    return make_error(ErrorCode::invalid_input, compiled.diagnostics.front().message);
  }
  auto matcher = std::make_shared<parser::dockerfile::IgnoreMatcher>(std::move(compiled.matcher));
  return Excluder{[matcher](const std::string& path) { return matcher->matches(path); }};
}

/// Every path that a source pattern names, in the order written.
Result<std::vector<std::string>> matches_of(const CopyPlan& plan, const FileTree& tree) {
  std::vector<std::string> found;
  for (const auto& source : plan.transfer.sources) {
    if (plan.add && is_git(source)) {
      return make_error(ErrorCode::unsupported, "ADD of a git repository (" + source + ") is not supported yet",
                        "clone it in a RUN step, or pass it with --build-context");
    }
    if (plan.add && is_url(source)) continue;
    DRYDOCK_ASSIGN(auto matches, tree.match(source));
    found.insert(found.end(), matches.begin(), matches.end());
  }
  const bool only_tree = std::none_of(plan.transfer.sources.begin(), plan.transfer.sources.end(), is_url);
  if (found.empty() && !plan.transfer.sources.empty() && (only_tree || !plan.add)) {
    return make_error(ErrorCode::not_found, "no source file matches " + plan.transfer.sources.front(),
                      "check the pattern and .dockerignore");
  }
  return found;
}

Result<std::optional<std::uint32_t>> mode_of(const CopyPlan& plan) {
  const auto& text = plan.transfer.chmod;
  if (text.empty()) return std::optional<std::uint32_t>{};
  const bool octal = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '7'; });
  if (!octal || text.size() > 5) {
    return make_error(ErrorCode::unsupported, "--chmod=" + text + ": only octal permissions are supported",
                      "write it as --chmod=755");
  }
  return std::optional<std::uint32_t>(static_cast<std::uint32_t>(std::stoul(text, nullptr, 8)));
}

/// The leading part of a --parents source up to "/./", which is not kept.
std::string pivot_of(const std::string& source) {
  const auto dot = source.find("/./");
  return dot == std::string::npos ? std::string{} : clean_relative(source.substr(0, dot));
}

}  // namespace

Result<oci::Digest> path_digest(Engine& engine, FileTree& tree, const std::string& path, Ownership ownership,
                                const std::function<bool(const std::string&)>& excluded) {
  DRYDOCK_ASSIGN(const auto real, tree.resolve(path));
  DRYDOCK_ASSIGN(auto entries, tree.walk(path));
  if (excluded) std::erase_if(entries, [&](const TreeEntry& e) { return !e.path.empty() && excluded(e.path); });
  std::vector<std::string> files;
  for (const auto& entry : entries) {
    if (!entry.is_file()) continue;
    auto full = (tree.root() / real).string();
    if (!entry.path.empty()) full += "/" + entry.path;
    files.push_back(std::move(full));
  }
  DRYDOCK_ASSIGN(const auto hashes, engine.hashes->hash(files, engine.stop.get_token()));
  return tree_digest(entries, hashes, ownership);
}

Result<oci::Digest> copy_content(Engine& engine, const Step& step, const CopyPlan& plan,
                                 const std::shared_ptr<FileTree>& tree) {
  auto matches = matches_of(plan, *tree);
  if (!matches.ok()) return placed(std::move(matches).error(), step);
  DRYDOCK_ASSIGN(const auto excluded, excluder_of(plan));
  oci::Sha256 hash;
  for (const auto& match : *matches) {
    auto digest = path_digest(engine, *tree, match, ownership_of(plan), excluded);
    if (!digest.ok()) return placed(std::move(digest).error(), step);
    hash.update(match.substr(match.rfind('/') + 1) + '\0' + digest->to_string() + '\n');
  }
  for (const auto& source : plan.transfer.sources) {
    if (!plan.add || !is_url(source)) continue;
    DRYDOCK_ASSIGN(const auto file, fetch_remote_file(engine, source, plan.checksum));
    hash.update("url\0" + source + '\0' + file.digest.to_string() + '\n');
  }
  for (const auto& file : plan.transfer.files) hash.update("inline" + file.name + '\0' + file.content + '\n');
  return hash.finish();
}

Status perform_copy_step(Engine& engine, const Step& step, const CopyPlan& plan,
                         const std::shared_ptr<FileTree>& tree, const std::filesystem::path& root) {
  if (plan.parents && plan.transfer.sources.size() > 1) {
    // Each source has a pivot of its own.
    for (const auto& source : plan.transfer.sources) {
      auto one = plan;
      one.transfer.sources = {source};
      DRYDOCK_TRY(perform_copy_step(engine, step, one, tree, root));
    }
    return {};
  }
  CopyJob job;
  job.destination = plan.destination;
  job.into_directory = plan.into_directory;
  job.source_owner = ownership_of(plan) == Ownership::counts ? SourceOwner::keep : SourceOwner::reset;
  DRYDOCK_ASSIGN(job.mode, mode_of(plan));
  if (!plan.transfer.chown.empty()) {
    DRYDOCK_ASSIGN(const auto user, sandbox::resolve_user(root, plan.transfer.chown));
    job.owner = Owner{user.uid, user.gid};
  }
  DRYDOCK_ASSIGN(const auto excluded, excluder_of(plan));
  auto matches = matches_of(plan, *tree);
  if (!matches.ok()) return placed(std::move(matches).error(), step);
  for (const auto& match : *matches) {
    if (plan.add && plan.unpack.value_or(true)) {
      DRYDOCK_ASSIGN(const auto unpacked, unpack_if_archive(engine, *tree, match));
      if (unpacked) {
        CopyJob archive = job;
        archive.sources = {TreeSource{unpacked, "", {}}};
        archive.source_owner = SourceOwner::keep;
        DRYDOCK_TRY(copy_into(root, archive));
        continue;
      }
    }
    if (plan.parents) job.parents_pivot = pivot_of(plan.transfer.sources.front());
    job.sources.emplace_back(std::in_place_type<TreeSource>, TreeSource{tree, match, excluded});
  }
  for (const auto& source : plan.transfer.sources) {
    if (!plan.add || !is_url(source)) continue;
    DRYDOCK_ASSIGN(auto file, fetch_remote_file(engine, source, plan.checksum));
    job.sources.emplace_back(std::in_place_type<InlineSource>,
                             InlineSource{file.name, std::move(file.content), 0600, file.mtime_ns});
  }
  for (const auto& file : plan.transfer.files) job.sources.push_back(InlineSource{file.name, file.content, 0644, 0});
  if (job.sources.empty()) return {};
  auto copied = copy_into(root, job);
  if (!copied.ok()) return placed(std::move(copied).error(), step);
  return {};
}

}  // namespace drydock::build
