#pragma once
// The config.json in which a login leaves credentials for later builds of its job: the form that Docker's tools
// read and write. What else the file holds is kept. One writer at a time.

#include <string>

#include "executors/base/result.h"

namespace drydock::actions {

/// "https://index.docker.io/v1/" for Docker Hub's names, else the registry.
std::string config_key(const std::string& registry);

/// Adds or replaces the entry; the file is for its owner alone. invalid_input: the file is no JSON object.
Status write_login(const std::string& directory, const std::string& registry, const std::string& username,
                   const std::string& password);
/// Removes the entry; true when there was one.
Result<bool> remove_login(const std::string& directory, const std::string& registry);

}  // namespace drydock::actions
