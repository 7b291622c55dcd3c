#include "executors/build/stored_document.h"

namespace drydock::build {

Result<std::string> stored_manifest(Engine& engine, const oci::Reference& reference) {
  if (!reference.digest.empty() && engine.store->has_blob(reference.digest)) {
    return engine.store->read_blob(reference.digest);
  }
  DRYDOCK_ASSIGN(auto fetched, engine.registry->get_manifest(reference, engine.stop.get_token()));
  DRYDOCK_TRY(engine.store->put_blob(fetched.text));
  return std::move(fetched.text);
}

Result<std::string> stored_config(Engine& engine, const oci::Reference& repository, const oci::Descriptor& descriptor) {
  if (engine.store->has_blob(descriptor.digest)) return engine.store->read_blob(descriptor.digest);
  std::string text;
  const auto sink = [&](std::string_view piece) -> Status {
    text += piece;
    return {};
  };
  DRYDOCK_TRY(engine.registry->get_blob(repository, {descriptor.digest, static_cast<std::uint64_t>(descriptor.size)},
                                        sink, engine.stop.get_token()));
  DRYDOCK_TRY(engine.store->put_blob(text));
  return text;
}

}  // namespace drydock::build
