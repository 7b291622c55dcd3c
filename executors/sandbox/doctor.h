#pragma once
// The checks behind `drydock doctor`: each one tries the thing itself and says what it saw and how to mend it.
// Owns no output and no registry checks. Blocking; changes nothing on the machine.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "executors/base/platform.h"

namespace drydock::sandbox {

enum class CheckState { ok, warning, failure };
std::string_view name_of(CheckState state);

struct Check {
  std::string id;      // stable: "runtime", "user_namespace", "overlay", "platform linux/arm64", …
  std::string title;   // for people
  CheckState state = CheckState::ok;
  std::string detail;  // what was seen
  std::string mend;    // empty when ok
};

struct DoctorOptions {
  std::filesystem::path state_dir;  // of the store; its disk is measured, scratch directories are made in it
  std::vector<Platform> platforms;  // empty: all that have a tiny binary
};

std::vector<Check> examine_machine(const DoctorOptions& options);
nlohmann::json to_json(const std::vector<Check>& checks);

}  // namespace drydock::sandbox
