#pragma once
// The native forms of this room, put into the steps engine's table.

#include "executors/actions/services.h"
#include "executors/step/native_action.h"

namespace drydock::actions {

/// actions/checkout, docker/setup-qemu-action, docker/setup-buildx-action, docker/login-action,
/// docker/metadata-action, docker/build-push-action.
void register_native_actions(step::NativeActions& actions, const ActionServices& services);

}  // namespace drydock::actions
