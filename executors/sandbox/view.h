#pragma once
// A view of this machine for the steps of one job: programs in it see the machine's files, and what they change is
// kept apart and dropped with the view; what they start ends with it. Network, clock and users are the machine's.
// Held by one small process that ends with this one, however this one ends. Thread-safe; run() blocks.

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/process.h"
#include "executors/base/result.h"
#include "executors/sandbox/journal.h"
#include "executors/sandbox/view_plan.h"

namespace drydock::sandbox {

/// What becomes of a view's directory when the view ends.
enum class AfterView { removed, left };

struct ViewSpec {
  /// Where changes are kept; made, and removed with the view unless `after` says otherwise. Absolute, on a file system
  /// with room.
  std::filesystem::path directory;
  AfterView after = AfterView::removed;
  /// The directory is one that an earlier view left: its changes are there again.
  bool goes_on = false;
  /// Existing directories or files that are the machine's own in the view too, read-write, at the same paths.
  std::vector<std::string> shared;
  /// The user's home: copy-on-write in a read-only view. Empty: none.
  std::string home;
  /// Notes `directory`, for the next start; may be null.
  std::shared_ptr<Journal> journal;
};

class View {
 public:
  /// environment when this machine or this user cannot have one, with the mend.
  static Result<View> make(const ViewSpec& spec);
  View(View&&) noexcept;
  View& operator=(View&&) noexcept;
  ~View();  // ends all that runs in it and removes its directory

  ViewKind kind() const;
  /// Whether programs changed anything that is not shared, as far as it can be told: in memory nothing can be.
  bool has_changes() const;
  /// Whether the changes stay when the view ends.
  bool keeps_changes() const;
  /// The holder's, as seen outside.
  pid_t pid() const;

  /// As run_process, in the view. The program leads a session of its own; root keeps no capability that reaches
  /// outside (mounts, devices, modules, tracing, the network's settings, the clock).
  Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token stop = {}) const;
  /// Absolute path as seen in the view; `environment`'s PATH.
  std::optional<std::string> find_program(std::string_view name, const Environment& environment) const;

 private:
  struct State;
  explicit View(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace drydock::sandbox
