#pragma once
// StagePlan: what one stage does for one platform, with every variable put in: its base, the steps that make layers,
// and the image settings and history they lead to. Immutable; made by plan_stage, a pure function.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "executors/base/events.h"
#include "executors/base/platform.h"
#include "executors/oci/image.h"
#include "parser/dockerfile/expand.h"
#include "parser/dockerfile/instructions.h"
#include "parser/dockerfile/stage_graph.h"

namespace drydock::build {

/// Where FROM, COPY, ADD or a mount takes files from.
struct FileSource {
  enum class Kind { scratch, context, stage, image, named_context };
  Kind kind = Kind::context;
  std::size_t stage = 0;  // Kind::stage
  std::string name;       // image reference, or name of the context
};

struct StepMount {
  parser::dockerfile::Mount mount;
  FileSource source;  // of a bind mount, and of a cache mount with from=
  bool has_source = false;
};

struct RunPlan {
  std::vector<std::string> arguments;
  std::optional<parser::dockerfile::InlineFile> script;
  std::string script_path;
  std::vector<std::string> env;         // NAME=value, ENV and ARG
  std::vector<std::string> hidden_env;  // proxies: in no key, no history
  std::vector<StepMount> mounts;
  parser::dockerfile::NetworkMode network = parser::dockerfile::NetworkMode::default_;
  parser::dockerfile::SecurityMode security = parser::dockerfile::SecurityMode::sandbox;
};

struct CopyPlan {
  parser::dockerfile::Transfer transfer;  // expanded
  FileSource source;
  bool add = false;
  bool parents = false;
  std::string checksum;
  std::optional<bool> unpack;
  bool keep_git_dir = false;
  std::string destination;  // absolute
  bool into_directory = false;
};

struct DirectoryPlan {
  std::string path;
};

struct Step {
  std::string title;      // "RUN npm ci"
  std::string directory = "/";
  std::string user;
  Place place;
  std::variant<RunPlan, CopyPlan, DirectoryPlan> work;
};

/// An entry of the image's history; its step's layer, if it has one, may turn out empty.
struct HistoryItem {
  std::string created_by;
  std::string comment;
  std::optional<std::size_t> step;
};

struct StagePlan {
  std::size_t stage = 0;
  std::string name;          // for people: "build", "stage-1"
  Platform platform;
  FileSource base;
  std::string base_title;    // "FROM node:22-slim"
  Place place;
  std::vector<Step> steps;
  oci::ImageConfig config;   // settings after the last command; rootfs and history are the base's
  std::vector<parser::dockerfile::ArgBinding> args;  // declared so far, in order; stages on top of this one have them
  std::vector<HistoryItem> history;
};

/// What plan_stage needs beside the Dockerfile.
struct StagePlanRequest {
  const parser::dockerfile::Dockerfile* dockerfile = nullptr;
  const parser::dockerfile::StageGraph* graph = nullptr;
  const parser::dockerfile::Scope* globals = nullptr;
  std::size_t stage = 0;
  std::string file;  // name of the Dockerfile in messages
  Platform platform;
  FileSource base;
  std::string base_title;
  oci::ImageConfig base_config;
  std::vector<parser::dockerfile::ArgBinding> base_args;  // of the stage below
  parser::dockerfile::Variables build_args;
  std::set<std::string, std::less<>> named_contexts;  // lower case
};

struct PlannedStage {
  StagePlan plan;
  parser::Diagnostics diagnostics;
};
PlannedStage plan_stage(const StagePlanRequest& request);

/// FROM's or COPY --from's input as a source.
FileSource source_of(const parser::dockerfile::StageInput& input,
                     const std::set<std::string, std::less<>>& named_contexts);

/// "../x" against "/app" → "/x"; the trailing slash is dropped.
std::string absolute_path(const std::string& directory, const std::string& path);

}  // namespace drydock::build
