#pragma once
// The inputs of actions/checkout, read and checked as the original does. Pure but for log lines of the context.

#include <string>
#include <vector>

#include "executors/base/result.h"
#include "executors/step/action_context.h"

namespace drydock::actions {

enum class CleanFirst { no, yes };

struct CheckoutSettings {
  std::string owner, name;      // of the repository asked for
  bool own_repository = false;  // the one whose workflow runs
  std::string path;             // absolute, inside the workspace
  std::string ref;              // "refs/heads/main", "main", "" for a bare commit
  std::string commit;           // "" when only the ref is known
  CleanFirst clean = CleanFirst::yes;
  int depth = 1;                // commits of history; 0 is all
  bool tags = false;
  bool submodules = false;
  std::vector<std::string> sparse;
  bool sparse_cone = true;
  std::string token;
  bool persist_credentials = true;
  std::string server;           // "https://github.com"

  std::string repository() const { return owner + "/" + name; }
  std::string url() const { return server + "/" + owner + "/" + name; }
};

/// usage or unsupported, naming the input.
Result<CheckoutSettings> read_checkout_settings(const step::ActionContext& context);

}  // namespace drydock::actions
