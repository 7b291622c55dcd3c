#pragma once
// The files through which a step talks to its runner: GITHUB_ENV, GITHUB_OUTPUT, GITHUB_STATE, GITHUB_PATH,
// GITHUB_STEP_SUMMARY and GITHUB_ARTIFACTS; GITHUB_ARTIFACTS_LIST is for it to read. Reads them as GitHub's runner does, its error texts included. Parsing is pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "executors/base/process.h"
#include "executors/base/result.h"

namespace drydock::step {

using KeyValues = std::vector<std::pair<std::string, std::string>>;

/// "name=value" lines and "name<<DELIMITER" blocks.
Result<KeyValues> parse_key_values(std::string_view text);

/// One directory a line; empty lines are left out.
std::vector<std::string> parse_path_file(std::string_view text);

inline constexpr std::uint64_t k_summary_limit = 1024 * 1024;

/// The files of one step, fresh and empty, in one directory.
class FileCommands {
 public:
  /// Makes the files. `tag` is unique in the directory; `artifacts` is what the list of them says.
  static Result<FileCommands> create(const std::string& directory, const std::string& tag, const std::string& artifacts = {});

  /// GITHUB_ENV and the others, with the files' paths.
  void add_to(Environment& environment) const;

  Result<KeyValues> environment() const { return key_values(env_); }
  Result<KeyValues> outputs() const { return key_values(output_); }
  Result<KeyValues> state() const { return key_values(state_); }
  Result<std::vector<std::string>> path() const;
  /// An error above k_summary_limit.
  Result<std::string> summary() const;
  Result<std::string> artifacts() const;
  void remove() const;

  const std::string& env_file() const { return env_; }
  const std::string& path_file() const { return path_; }
  const std::string& output_file() const { return output_; }
  const std::string& state_file() const { return state_; }
  const std::string& summary_file() const { return summary_; }
  const std::string& artifacts_file() const { return artifacts_; }
  const std::string& artifacts_list_file() const { return artifacts_list_; }

 private:
  static Result<KeyValues> key_values(const std::string& file);
  std::string env_, output_, state_, path_, summary_, artifacts_, artifacts_list_;
};

}  // namespace drydock::step
