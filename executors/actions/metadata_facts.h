#pragma once
// What docker/metadata-action knows of the event and the repository, gathered from the job's contexts and the
// user's repository, which is only read.

#include "executors/actions/metadata_core.h"
#include "executors/actions/services.h"
#include "executors/step/action_context.h"

namespace drydock::actions::metadata {

enum class Source { workflow, git };

/// usage or not_found where context=git finds no ref of the workspace's HEAD.
Result<Happening> happening_of(const step::ActionContext& context, Source source, Time now);
/// From the event's payload, what it lacks from the names of the repository.
RepositoryFacts repository_of(const step::ActionContext& context);

}  // namespace drydock::actions::metadata
