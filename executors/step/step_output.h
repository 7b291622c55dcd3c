#pragma once
// The output of a step's process: cut into lines, commands obeyed, the rest published as log.
// Thread-safe: the two streams may arrive on two threads.

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/events.h"
#include "executors/base/masker.h"
#include "executors/step/action_context.h"
#include "executors/step/workflow_command.h"

namespace drydock::step {

class StepOutput {
 public:
  /// `effects` and `annotations` are filled while the process runs; both outlive this object.
  struct Sinks {
    ActionEffects* effects = nullptr;
    std::vector<Annotation>* annotations = nullptr;
  };
  enum class OldCommands { refused, allowed };  // ACTIONS_ALLOW_UNSECURE_COMMANDS

  StepOutput(Bus& bus, std::string job, std::string step, Sinks sinks, OldCommands old_commands, bool debug);

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
  };

  void line(Stream stream, std::string text);
  void publish_log(Stream stream, std::string text);
  void message(Level level, std::string text, std::string title, Place place);
  bool obey(const WorkflowCommand& command, const std::string& line, Stream stream);
  void obey_known(const WorkflowCommand& command);
  void add_masks(const WorkflowCommand& command);
  void stop_commands(const std::string& token);
  void refuse_unsecure(const std::string& name, const char* file);

  Bus& bus_;
  std::string job_, step_;
  Sinks sinks_;
  OldCommands old_commands_;
  bool debug_;
  std::mutex mutex_;
  Pipe out_, err_;
  std::string stop_token_;  // commands are off until "::token::"
  bool echo_ = false;
  bool command_failed_ = false;
  std::string failure_;     // of the command at hand
  std::set<std::string> warned_;
};

}  // namespace drydock::step
