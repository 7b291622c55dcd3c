#pragma once
// Going on with a job at one of its steps: what is kept of its stages, and how a later run takes that up again. Keeps no
// secret in the clear. Used by the job's thread. Internal to this room, but for what names a step.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "executors/base/masker.h"
#include "executors/step/action_context.h"
#include "executors/step/job_request.h"
#include "executors/step/loaded_action.h"
#include "parser/diagnostics/diagnostic.h"

namespace drydock::step {

using Secrets = std::map<std::string, std::string>;

/// The index of the step that a person means: its id, its number, or its name. `known` are names as an earlier run
/// evaluated them. usage, with the steps that there are.
Result<std::size_t> find_step(const JobRequest& request, const JobTrail& known, const std::string& wanted);

/// Equal as long as nothing that the step does has changed; where it stands in its file does not count.
std::string fingerprint_of(const StepRequest& step);

/// Why the job cannot go on where request.go_on says, with places; empty when it can.
parser::Diagnostics check_go_on(const JobRequest& request);

/// Replaces secrets by their names.
KeptText keep_text(const std::string& text, const Secrets& secrets, const Masker& masker);
/// not_found when a secret is missing, or the text was withheld.
Result<std::string> read_kept(const KeptText& text, const Secrets& secrets);

/// What a stage left, ready to come into force again.
struct RestoredStage {
  const StageTrail* kept = nullptr;
  std::size_t index = 0;  // of its step
  StepResult result;
  ActionEffects effects;
  ActionUse use;  // without actions
};

/// Whether an earlier run has done the step: one before where the job goes on, unless its work ended with the job.
bool is_taken(const GoOn& go_on, std::size_t index);
/// Whether its post stage has done its work there, too.
bool post_is_done(const GoOn& go_on, std::size_t index);

/// Those of the steps before the one that the job goes on at, in the order in which they came into force.
Result<std::vector<RestoredStage>> restore_stages(const GoOn& go_on, const Secrets& secrets);

/// State and registrations of `from`, into a use whose actions are known or come to be.
void restore_use(ActionUse& into, const ActionUse& from);

/// Keeps the trail of a job.
class TrailKeeper {
 public:
  TrailKeeper(const JobRequest& request, const Masker& masker) : request_(request), masker_(masker) {}
  void set_secrets(Secrets secrets) { secrets_ = std::move(secrets); }

  /// A stage of the job's step `index` has ended.
  StageTrail& keep(std::size_t index, const StepResult& result, const ActionEffects& effects, const ActionUse* use);
  /// One that was taken from an earlier run stays as it is.
  void keep(const StageTrail& stage) { trail_.stages.push_back(stage); }
  /// Without what became a secret after its stage had ended.
  JobTrail take() &&;

 private:
  KeptTexts kept(const std::map<std::string, std::string>& values) const;
  KeptUse kept(const ActionUse& use) const;
  void withhold(KeptText& text) const;
  void withhold(KeptUse& use) const;

  const JobRequest& request_;
  const Masker& masker_;
  Secrets secrets_;
  JobTrail trail_;
};

}  // namespace drydock::step
