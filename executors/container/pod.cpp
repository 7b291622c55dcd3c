#include "executors/container/pod.h"

#include <unistd.h>

#include <atomic>
#include <future>
#include <mutex>
#include <vector>

#include "executors/base/fs.h"
#include "executors/container/member.h"
#include "executors/oci/digest.h"
#include "executors/sandbox/journal.h"
#include "executors/step/node_closure.h"

namespace drydock::container {
namespace {

/// As docker's: 64 hexadecimal digits, and no two alike.
std::string new_id() {
  static std::atomic<unsigned> made{0};
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return std::string(oci::digest_of(process_token() + " " + std::to_string(now) + " " + std::to_string(made++)).hex());
}

/// Calls `work` for all of them side by side; the first error.
template <class Items, class Work>
Status for_all(Items& items, const Work& work) {
  std::vector<std::future<Status>> running;
  for (auto& item : items) running.push_back(std::async(std::launch::async, [&work, &item] { return work(*item); }));
  Status first;
  for (auto& each : running) {
    auto status = each.get();
    if (!status && first) first = std::move(status);
  }
  return first;
}

}  // namespace

struct Pod::State {
  PodRequest request;
  Bus& bus;
  PodPlaces places;
  std::shared_ptr<sandbox::Journal> journal;
  std::uint64_t entry = 0;
  std::optional<sandbox::Runtime> runtime;
  std::unique_ptr<JobNetwork> network;
  std::string network_name;
  std::unique_ptr<Member> job;
  std::vector<std::unique_ptr<Member>> services;
  std::vector<HostName> names;
  std::mutex mutex;  // of the network, and the pulled images
  std::map<std::string, PulledImage> images;

  State(PodRequest the_request, Bus& the_bus) : request(std::move(the_request)), bus(the_bus) {}

  void say(const std::string& text) {
    Event event{.kind = EventKind::log, .job = request.job};
    event.text = text + "\n";
    bus.publish(std::move(event));
  }
  void group(const std::string& name, const std::string& text) {
    bus.publish({.kind = EventKind::group_started, .job = request.job, .name = name});
    if (!text.empty()) say(text.ends_with('\n') ? text.substr(0, text.size() - 1) : text);
    bus.publish({.kind = EventKind::group_finished, .job = request.job});
  }

  Status open();
  Status plan();
  std::vector<sandbox::ContainerMount> mounts_of(const Member& member) const;
  PodAnswer answer() const;
};

Status Pod::State::open() {
  oci::StoreOptions options;
  options.root = request.engine.store_root;
  DRYDOCK_ASSIGN(const auto store, oci::Store::open(options));
  DRYDOCK_ASSIGN(const auto base, store->directory("containers"));
  DRYDOCK_ASSIGN(const auto runtimes, store->directory("runtime"));
  places.request = &request;
  places.bus = &bus;
  places.state_dir = base;
  DRYDOCK_ASSIGN(const auto reaped, sandbox::reap(places.state_dir));
  for (const auto& line : reaped.left) bus.warning("left by an earlier run: " + line);
  DRYDOCK_ASSIGN(journal, sandbox::Journal::open(places.state_dir));
  const auto id = new_id();
  network_name = "drydock_" + id.substr(0, 12);
  places.directory = places.state_dir / "pods" / id.substr(0, 16);
  DRYDOCK_ASSIGN(entry, journal->note({sandbox::Held::directory, places.directory.string(), {}}));
  DRYDOCK_TRY(make_directories(places.directory.string(), 0711));
  DRYDOCK_ASSIGN(auto found, sandbox::Runtime::find(runtimes, journal));
  runtime.emplace(std::move(found));
  places.limits_work = runtime->limits_work();
  DRYDOCK_ASSIGN(network, JobNetwork::make());
  if (!network->why_closed().empty()) {
    bus.warning("containers of job " + request.job + " have no way out of their network: " + network->why_closed());
  }
  return {};
}

Status Pod::State::plan() {
  const auto add = [&](ContainerPlan plan) {
    return std::make_unique<Member>(std::move(plan), new_id(), network->reserve(), places);
  };
  if (request.containers.container) {
    DRYDOCK_ASSIGN(auto plan, plan_container("container", ContainerRole::job, *request.containers.container));
    job = add(std::move(plan));
  }
  for (const auto& [id, wish] : request.containers.services) {
    DRYDOCK_ASSIGN(auto plan, plan_container(id, ContainerRole::service, wish));
    services.push_back(add(std::move(plan)));
  }
  const auto name_all = [this](const Member& member) {
    for (const auto& name : member.names()) names.push_back({name, member.address()});
  };
  if (job) name_all(*job);
  for (const auto& service : services) name_all(*service);
  return {};
}

std::vector<sandbox::ContainerMount> Pod::State::mounts_of(const Member& member) const {
  std::vector<sandbox::ContainerMount> mounts;
  if (member.plan().role != ContainerRole::job) return mounts;
  for (const auto& shared : request.shared) {
    mounts.push_back({"bind", shared.path, shared.path, {"rbind", shared.read_only ? "ro" : "rw"}});
  }
  if (!request.node.empty()) mounts.push_back({"bind", request.node, step::k_closure_mount, {"rbind", "ro"}});
  // Actions and scripts that know GitHub's paths by heart find their files there as well.
  mounts.push_back({"bind", request.temp + "/_github_home", "/github/home", {"rbind", "rw"}});
  mounts.push_back({"bind", request.temp + "/_github_workflow", "/github/workflow", {"rbind", "rw"}});
  return mounts;
}

PodAnswer Pod::State::answer() const {
  PodAnswer answer;
  answer.network = network_name;
  if (job) {
    answer.container = job->id();
    answer.environment = job->environment();
    answer.environment["HOME"] = request.temp + "/_github_home";
  }
  for (const auto& service : services) {
    PodAnswer::Service one{service->id(), {}};
    for (const auto& port : service->ports()) one.ports[std::to_string(port.asked.inside)] = std::to_string(port.host);
    answer.services.emplace_back(service->plan().name, std::move(one));
  }
  return answer;
}

Pod::Pod(PodRequest request, Bus& bus) : state_(std::make_unique<State>(std::move(request), bus)) {}

Pod::~Pod() {
  state_->services.clear();
  state_->job.reset();
  state_->network.reset();
  if (!state_->journal) return;
  if (auto removed = remove_tree(state_->places.directory.string()); removed) state_->journal->gone(state_->entry);
  else state_->bus.warning("left behind: " + removed.error().to_string());
}

Result<PodAnswer> Pod::start(std::stop_token stop) {
  State& state = *state_;
  DRYDOCK_TRY(state.open());
  DRYDOCK_TRY(state.plan());
  std::vector<Member*> all;
  if (state.job) all.push_back(state.job.get());
  for (const auto& service : state.services) all.push_back(service.get());
  DRYDOCK_TRY(for_all(all, [&](Member& member) { return member.pull(stop); }));
  for (auto* member : all) DRYDOCK_TRY(member->prepare(*state.network, state.names, state.mounts_of(*member)));
  DRYDOCK_TRY(for_all(all, [&](Member& member) -> Status {
    DRYDOCK_TRY(member.start(*state.runtime));
    state.say("started " + member.plan().name + ": " + member.plan().wish.image + ", " + member.address());
    return member.plan().role == ContainerRole::service ? member.run_program() : Status();
  }));
  for (const auto& service : state.services) {
    for (const auto& port : service->ports()) {
      state.say(service->plan().name + ": port " + std::to_string(port.asked.inside) + "/" +
                std::string(name_of(port.asked.transport)) + " is " +
                (port.asked.address.empty() ? "127.0.0.1" : port.asked.address) + ":" + std::to_string(port.host));
    }
  }
  const auto ready = for_all(state.services, [&](Member& member) { return member.wait_until_ready(stop); });
  if (!ready) {
    publish_logs();
    return Status(ready).error();
  }
  return state.answer();
}

int Pod::job_channel() const { return state_->job ? state_->job->container().channel() : -1; }

void Pod::publish_logs() {
  for (const auto& service : state_->services) {
    state_->group("Service container " + service->plan().name, service->log().text());
  }
}

Status Pod::prepare_action(const ActionRequest& action, std::stop_token stop) {
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    if (state.images.contains(action.image)) return {};
  }
  const ImageSetting setting{&state.request.engine, &state.bus, state.request.job, state.places.directory};
  auto pulled = PulledImage::pull({action.image, {}, {}, state.request.docker_config}, setting, std::move(stop));
  if (!pulled) return std::move(pulled).error().while_("bringing image " + action.image + " of " + action.name);
  const std::lock_guard lock(state.mutex);
  state.images.emplace(action.image, std::move(*pulled));
  return {};
}

Result<ProcessResult> Pod::run_action(const ActionRequest& action, const ActionOutput& output, std::stop_token stop) {
  State& state = *state_;
  DRYDOCK_TRY(prepare_action(action, stop));
  step::JobContainer wish;
  wish.image = action.image;
  DRYDOCK_ASSIGN(auto plan, plan_container(action.name, ContainerRole::action, wish));
  std::vector<sandbox::ContainerMount> mounts;
  for (const auto& [source, target] : action.mounts) mounts.push_back({"bind", source, target, {"rbind", "rw"}});
  std::unique_ptr<Member> member;
  {
    const std::lock_guard lock(state.mutex);
    member = std::make_unique<Member>(std::move(plan), new_id(), state.network->reserve(), state.places);
    member->use(state.images.at(action.image));
    DRYDOCK_TRY(member->prepare(*state.network, state.names, mounts));
  }
  DRYDOCK_TRY(member->start(*state.runtime));
  ProcessSpec spec;
  const std::optional<std::vector<std::string>> arguments =
      action.args.empty() ? std::nullopt : std::optional(action.args);
  spec.argv = command_of(member->image(), action.entrypoint, arguments);
  if (spec.argv.empty()) {
    return make_error(ErrorCode::invalid_input, action.name + ": its image has no command", "give it an entrypoint");
  }
  spec.environment = member->environment();
  for (const auto& [name, value] : action.environment) (*spec.environment)[name] = value;
  spec.directory = action.directory;
  spec.on_stdout = output.out;
  spec.on_stderr = output.err;
  return member->container().run(spec, stop);
}

}  // namespace drydock::container
