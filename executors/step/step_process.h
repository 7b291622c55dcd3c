#pragma once
// One program of a step, wherever it runs: the files through which it talks to the runner, its output and the commands
// in it, and what becomes of its end. Internal to this room.

#include <functional>
#include <string>
#include <string_view>

#include "executors/step/file_commands.h"
#include "executors/step/step_frame.h"

namespace drydock::step {

using TakeText = std::function<void(std::string_view)>;
/// Runs the program until it ends.
using StartProgram = std::function<Result<ProcessResult>(TakeText on_stdout, TakeText on_stderr)>;

class StepProcess {
 public:
  /// Makes the files and names them in the frame's github context.
  static Result<StepProcess> prepare(StepFrame& frame);

  /// What a program of the job's machine sees, the files' names included.
  const Environment& environment() const { return environment_; }
  Environment& environment() { return environment_; }

  /// A program that ends with another status than 0 has failed; `told` says so in the log.
  enum class Failure { told, silent };
  Handled run(Failure failure, const StartProgram& start);

 private:
  StepProcess(StepFrame& frame, FileCommands files);

  StepFrame* frame_;
  FileCommands files_;
  Environment environment_;
};

}  // namespace drydock::step
