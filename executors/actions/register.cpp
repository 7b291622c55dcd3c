#include "executors/actions/register.h"

#include "executors/actions/native_forms.h"

namespace drydock::actions {

void register_native_actions(step::NativeActions& actions, const ActionServices& services) {
  actions.add(make_checkout(services));
  actions.add(make_setup_qemu(services));
  actions.add(make_setup_buildx(services));
  actions.add(make_login(services));
  actions.add(make_metadata(services));
  actions.add(make_build_push(services));
  actions.add(make_upload_artifact());
  actions.add(make_merge_artifacts());
  actions.add(make_download_artifact());
  actions.add(make_cache());
  actions.add(make_restore_cache());
  actions.add(make_save_cache());
}

}  // namespace drydock::actions
