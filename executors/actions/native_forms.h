#pragma once
// Makes each native form of this room. The objects are stateless and may be shared by parallel jobs.

#include <memory>

#include "executors/actions/services.h"
#include "executors/step/native_action.h"

namespace drydock::actions {

using NativeForm = std::shared_ptr<const step::NativeAction>;

NativeForm make_checkout(const ActionServices& services);
NativeForm make_setup_qemu(const ActionServices& services);
NativeForm make_setup_buildx(const ActionServices& services);
NativeForm make_login(const ActionServices& services);
NativeForm make_metadata(const ActionServices& services);
NativeForm make_build_push(const ActionServices& services);
NativeForm make_upload_artifact();
NativeForm make_merge_artifacts();
NativeForm make_download_artifact();
NativeForm make_cache();
NativeForm make_restore_cache();
NativeForm make_save_cache();

}  // namespace drydock::actions
