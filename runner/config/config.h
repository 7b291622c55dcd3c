#pragma once
// drydock.yaml: the operator's settings, from the user's file and, for the few keys that cannot weaken anything, from
// the repository's. Each key has a trust policy; a key in the wrong file or an unknown one is an error with its place.
// Pure apart from reading the two files.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "executors/base/result.h"
#include "runner/config/service_limits.h"

namespace drydock::runner {

struct RegistrySettings {
  std::vector<std::string> mirrors;
  bool plain_http = false;
};

struct Config {
  std::map<std::string, RegistrySettings> registries;  // user
  bool host_trust = false;                             // user: build.host-trust
  bool host_registration = false;                      // user: build.host-registration
  unsigned parallel = 0;                               // both: build.parallel; 0: the cores, at least 2
  std::string store;                                   // user: store.path
  std::string isolation;                               // user: run.isolation
  std::string image;                                   // user: run.image, of jobs that name no container
  std::string node;                                    // user: run.node, which runs JavaScript actions
  std::string actions_server = "https://github.com";   // user: actions.server, where remote actions come from
  std::string actions_api;                             // user: actions.api; derived from the server when empty
  ServiceLimits services;                              // user: services.cache.*, services.artifacts.*
  std::vector<std::string> files;                      // that were read
};

enum class ConfigTrust { user, repository };

/// Reads one text over `config`. invalid_input with "file:line:col: …" for what is wrong.
Status read_config(const std::string& text, const std::string& file, ConfigTrust trust, Config& config);

/// $DRYDOCK_CONFIG, else $XDG_CONFIG_HOME/drydock/drydock.yaml (~/.config); then `repository`/drydock.yaml.
/// A named file that is missing is an error, a missing default one is not.
Result<Config> load_config(const std::string& repository);

}  // namespace drydock::runner
