#pragma once
// The output of a step's process: cut into lines, commands obeyed, the rest published as log.
// Thread-safe: the two streams may arrive on two threads.

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/events.h"
#include "executors/base/masker.h"
#include "executors/step/action_context.h"
#include "executors/step/problem_matcher.h"
#include "executors/step/workflow_command.h"

namespace drydock::step {

class StepOutput {
 public:
  /// `effects` and `annotations` are filled while the process runs; both outlive this object.
  struct Sinks {
    ActionEffects* effects = nullptr;
    std::vector<Annotation>* annotations = nullptr;
    ProblemMatchers* matchers = nullptr;  // of the job; may be null: none are obeyed or added then
  };
  enum class OldCommands { refused, allowed };  // ACTIONS_ALLOW_UNSECURE_COMMANDS
  enum class StopTokens { unique, any };        // ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS
  struct Rules {
    OldCommands old_commands = OldCommands::refused;
    StopTokens stop_tokens = StopTokens::unique;
    bool debug = false;
  };

  StepOutput(Bus& bus, std::string job, std::string step, Sinks sinks, Rules rules);

  void feed(Stream stream, std::string_view piece);
  /// The last lines, when they did not end with a newline.
  void finish();
  /// True when a command could not be obeyed: the step fails then, whatever its exit code.
  bool command_failed() const { return command_failed_; }

  void error(std::string text, Place place = {});
  void warning(std::string text, Place place = {});

 private:
  struct Pipe {
    explicit Pipe(const Masker& masker) : mask(masker) {}
    std::string line;
    Masker::Stream mask;  // for a line too long to be kept whole
    bool overlong = false;
    std::vector<MatcherState> matchers;
    std::uint64_t matchers_seen = 0;
  };

  void line(Stream stream, std::string text);
  void publish_log(Stream stream, std::string text);
  void message(Level level, std::string text, std::string title, Place place);
  bool obey(const WorkflowCommand& command, const std::string& line, Stream stream);
  void obey_known(const WorkflowCommand& command, Stream stream);
  void obey_issue(const WorkflowCommand& command);
  void obey_environment(const WorkflowCommand& command);
  void obey_echo(const WorkflowCommand& command);
  void add_matcher(const std::string& file);
  void remove_matcher(const WorkflowCommand& command);
  std::optional<Matchers> read_matchers(const std::string& file, std::string* source = nullptr);
  bool find_problem(Stream stream, const std::string& text);
  bool report_problem(const MatchedProblem& problem, Stream stream, const std::string& line);
  void add_masks(const WorkflowCommand& command, Stream stream);
  void debug(std::string text);
  void stop_commands(const std::string& token);
  void refuse_unsecure(const std::string& name);

  Bus& bus_;
  std::string job_, step_;
  Sinks sinks_;
  Rules rules_;
  std::mutex mutex_;
  Pipe out_, err_;
  std::string stop_token_;  // commands are off until "::token::"
  bool echo_ = false;
  bool command_failed_ = false;
  std::string failure_;     // of the command at hand
  std::set<std::string> warned_;
};

}  // namespace drydock::step
