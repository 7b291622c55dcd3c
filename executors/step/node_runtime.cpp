#include "executors/step/node_runtime.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>

#include "executors/base/fs.h"

namespace drydock::step {
namespace fs = std::filesystem;
namespace {

constexpr const char* k_mend = "install Node (https://nodejs.org), or name it as run.node in drydock.yaml";

int number_in(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// What programs say of themselves; a Node takes 40 ms to say it.
class Versions {
 public:
  Result<int> major_of(const std::string& program, const Environment& environment) {
    std::error_code failure;
    const auto written = fs::last_write_time(program, failure);
    if (failure) return errno_error(program, failure.value());
    const std::lock_guard lock(mutex_);
    auto& known = known_[program];
    if (known && known->first == written) return known->second;
    const auto said = run_process({.argv = {program, "--version"}, .environment = environment, .timeout = std::chrono::seconds(30)});
    if (!said) return said.error();
    if (said->exit_code != 0 || !said->out.starts_with("v")) {
      return make_error(ErrorCode::environment, program + " --version says nothing that a Node would say", k_mend);
    }
    known = {written, number_in(std::string_view(said->out).substr(1))};
    return known->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::optional<std::pair<fs::file_time_type, int>>> known_;
};

Versions& versions() {
  static Versions all;
  return all;
}

/// The wanted one, else the next newer, else the newest.
std::optional<Node> in_externals(const std::string& directory, int wanted) {
  std::vector<int> majors;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(directory, failure)) {
    const std::string name = entry.path().filename();
    const int major = name.starts_with("node") ? number_in(std::string_view(name).substr(4)) : 0;
    if (major > 0 && fs::exists(entry.path() / "bin/node")) majors.push_back(major);
  }
  if (majors.empty()) return std::nullopt;
  std::sort(majors.begin(), majors.end());
  auto chosen = std::lower_bound(majors.begin(), majors.end(), wanted);
  if (chosen == majors.end()) --chosen;
  return Node{directory + "/node" + std::to_string(*chosen) + "/bin/node", *chosen};
}

Result<Node> with_version(const std::string& program, const Environment& environment) {
  DRYDOCK_ASSIGN(const int major, versions().major_of(program, environment));
  return Node{program, major};
}

}  // namespace

int node_major(std::string_view using_name) {
  const auto digits = using_name.find_first_of("0123456789");
  return digits == std::string_view::npos ? 0 : number_in(using_name.substr(digits));
}

Result<Node> find_node(const NodeSettings& settings, int wanted_major, const Environment& environment) {
  if (!settings.program.empty()) {
    const auto program = find_program(settings.program, &environment);
    if (!program || !exists(*program)) return make_error(ErrorCode::environment, "run.node names " + settings.program + ", which is no program here", k_mend);
    return with_version(*program, environment);
  }
  if (!settings.externals.empty()) {
    if (auto found = in_externals(settings.externals, wanted_major)) return *found;
  }
  for (const char* name : {"node", "nodejs"}) {
    if (const auto program = find_program(name, &environment)) return with_version(*program, environment);
  }
  return make_error(ErrorCode::environment, "JavaScript actions need Node, and there is none in PATH", k_mend);
}

}  // namespace drydock::step
