#pragma once
// COPY and ADD: what their sources hold (for the key), and doing it. Knows heredocs, archives that ADD unpacks and
// files that ADD fetches; knows no cache.

#include <filesystem>
#include <functional>
#include <memory>

#include "executors/build/engine.h"
#include "executors/build/file_tree.h"
#include "executors/build/stage_plan.h"
#include "executors/build/step_keys.h"

namespace drydock::build {

/// Digest of the file or directory at `path`, without what `excluded` (paths relative to `path`) leaves out.
Result<oci::Digest> path_digest(Engine& engine, FileTree& tree, const std::string& path, Ownership ownership,
                                const std::function<bool(const std::string&)>& excluded = {});

/// Digest of all sources of a COPY or ADD. code not_found names the source that is not there.
Result<oci::Digest> copy_content(Engine& engine, const Step& step, const CopyPlan& plan,
                                 const std::shared_ptr<FileTree>& tree);

Status perform_copy_step(Engine& engine, const Step& step, const CopyPlan& plan,
                         const std::shared_ptr<FileTree>& tree, const std::filesystem::path& root);

}  // namespace drydock::build
