#include "executors/isolation/sandbox_host.h"

#include <algorithm>
#include <functional>
#include <mutex>

#include "executors/base/fs.h"
#include "executors/sandbox/view.h"

namespace drydock::isolation {
namespace {

constexpr const char* k_read_only =
    "steps run in a read-only view of this machine: home, temporary folders and the workspace can be written, and "
    "what needs root (sudo, apt-get install) is refused. --isolation host runs them on the machine itself";

class SandboxHost : public step::StepHost {
 public:
  explicit SandboxHost(sandbox::View view) : view_(std::move(view)) {}
  Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token stop) override {
    return view_.run(spec, std::move(stop));
  }
  std::optional<std::string> find_program(std::string_view name, const Environment& environment) override {
    return view_.find_program(name, environment);
  }
  Environment environment() override { return current_environment(); }
  step::OutsideChanges outside_changes() override {
    if (!view_.has_changes()) return step::OutsideChanges::none;
    return view_.keeps_changes() ? step::OutsideChanges::kept : step::OutsideChanges::lost;
  }

 private:
  sandbox::View view_;
};

/// A job of native actions alone needs no view: it is made when a program first asks for it.
class LateHost : public step::StepHost {
 public:
  using Make = std::function<Result<std::unique_ptr<step::StepHost>>()>;
  explicit LateHost(Make make) : make_(std::move(make)) {}
  Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token stop) override {
    DRYDOCK_TRY(ready());
    return host_->run(spec, std::move(stop));
  }
  std::optional<std::string> find_program(std::string_view name, const Environment& environment) override {
    // What went wrong is told by run(), which comes next.
    return ready() ? host_->find_program(name, environment) : drydock::find_program(name, &environment);
  }
  Environment environment() override { return current_environment(); }
  step::OutsideChanges outside_changes() override {
    const std::lock_guard lock(mutex_);
    return host_ ? host_->outside_changes() : step::OutsideChanges::none;
  }

 private:
  Status ready() {
    const std::lock_guard lock(mutex_);
    if (host_) return {};
    DRYDOCK_ASSIGN(host_, make_());
    return {};
  }

  Make make_;
  std::mutex mutex_;
  std::unique_ptr<step::StepHost> host_;
};

/// What the views of one run have in common.
class Sandboxes {
 public:
  explicit Sandboxes(SandboxOptions options) : options_(std::move(options)) {}

  Result<std::unique_ptr<step::StepHost>> make(const step::JobRequest& request) {
    DRYDOCK_TRY(open_journal());
    sandbox::ViewSpec spec;
    spec.directory = request.places.temp + ".view";
    spec.shared = options_.shared;
    if (request.leaves_places) spec.after = sandbox::AfterView::left;
    spec.goes_on = request.go_on && request.go_on->trail.outside == step::OutsideChanges::kept;
    const auto& places = request.places;
    for (const auto& path : {places.workspace, places.temp, places.tool_cache, places.docker_config}) {
      if (!path.empty()) spec.shared.push_back(path);
    }
    const auto environment = current_environment();
    if (const auto home = environment.find("HOME"); home != environment.end()) spec.home = home->second;
    spec.journal = journal_;
    auto view = sandbox::View::make(spec);
    if (!view && options_.otherwise == Otherwise::run_on_host && !spec.goes_on) return host_instead(view.error(), request);
    if (!view) return std::move(view).error().while_("making the sandbox of job " + request.key);
    if (view->kind() == sandbox::ViewKind::read_only && options_.bus) {
      std::call_once(told_, [this] { options_.bus->notice(k_read_only); });
    }
    return std::unique_ptr<step::StepHost>(std::make_unique<SandboxHost>(std::move(view).value()));
  }

 private:
  Result<std::unique_ptr<step::StepHost>> host_instead(const Error& why, const step::JobRequest& request) {
    if (options_.bus) {
      std::call_once(told_, [&] {
        options_.bus->warning("steps run on this machine itself, not in a sandbox: " + why.message +
                              ". --isolation host says that this is meant");
      });
    }
    return step::machine_hosts().at(step::Isolation::host)(request);
  }

  Status open_journal() {
    const std::lock_guard lock(mutex_);
    if (journal_) return {};
    DRYDOCK_TRY(make_directories(options_.state_dir.string()));
    DRYDOCK_ASSIGN(const auto reaped, sandbox::reap(options_.state_dir));
    if (options_.bus) {
      for (const auto& line : reaped.left) options_.bus->warning("left by an earlier run: " + line);
    }
    DRYDOCK_ASSIGN(journal_, sandbox::Journal::open(options_.state_dir));
    return {};
  }

  SandboxOptions options_;
  std::mutex mutex_;
  std::shared_ptr<sandbox::Journal> journal_;
  std::once_flag told_;
};

}  // namespace

step::HostFactory sandbox_hosts(SandboxOptions options) {
  auto sandboxes = std::make_shared<Sandboxes>(std::move(options));
  return [sandboxes](const step::JobRequest& request) -> Result<std::unique_ptr<step::StepHost>> {
    const bool scripts = std::any_of(request.steps.begin(), request.steps.end(), [](const auto& s) { return !s.is_action(); });
    if (scripts) return sandboxes->make(request);
    return std::unique_ptr<step::StepHost>(
        std::make_unique<LateHost>([sandboxes, &request] { return sandboxes->make(request); }));
  };
}

}  // namespace drydock::isolation
