#pragma once
// An action that a step uses, ready to be run: what it is, where its files are, its metadata; and one use of it, with
// what lives from its pre to its main and post stage. Internal to this room.

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "executors/step/job_request.h"
#include "executors/step/native_action.h"
#include "executors/step/scope.h"
#include "parser/workflow/action.h"

namespace drydock::step {

enum class ActionStage { pre, main, post };

/// Immutable, shared by all steps that use it.
struct LoadedAction {
  enum class Kind { native, javascript, docker, composite };
  enum class Origin { repository, workspace, image };

  Kind kind = Kind::native;
  Origin origin = Origin::repository;
  std::string uses;                     // as written: "owner/repo/path@v1", "./path", "docker://image"
  std::string repository, ref;          // of origin repository
  std::string directory;                // of its action.yml; absolute
  const NativeAction* native = nullptr;
  std::shared_ptr<const parser::workflow::Action> metadata;  // null for native ones and those that are a Dockerfile or an image alone
  std::string image, dockerfile;        // docker: one of them
  std::vector<StepRequest> steps;       // composite

  bool has_metadata() const { return metadata != nullptr; }
};

/// One step's use of an action.
struct ActionUse {
  std::shared_ptr<const LoadedAction> action;  // null for `run:` steps, and for local actions until they are reached
  std::vector<ActionUse> nested;               // composite: one for each of its steps
  std::map<std::string, std::string> state;    // what its stages saved
  parser::expression::Object steps;            // composite: results of its main steps, which its post steps see
  std::vector<std::size_t> posts;              // composite: its steps with a post stage, in order of registration
  bool post_registered = false;

  bool has_pre() const;
  bool has_post() const;
};

}  // namespace drydock::step
