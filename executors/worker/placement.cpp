#include "executors/worker/placement.h"

#include <algorithm>
#include <tuple>

namespace drydock::worker {
namespace {

/// Lower is better.
enum class Fitness { native_here, native_elsewhere, emulated, none };

bool contains(const std::vector<Platform>& platforms, const Platform& wanted) {
  return std::any_of(platforms.begin(), platforms.end(),
                     [&](const Platform& offered) { return offered == wanted || match_rank(offered, wanted) > 0; });
}

bool native_on(const Worker& worker, const Platform& wanted) {
  return std::any_of(worker.native.begin(), worker.native.end(),
                     [&](const Platform& own) { return runs_natively(wanted, own); });
}

std::string missing_capability(const Worker& worker, const Leg& leg) {
  for (const auto& need : leg.needs) {
    if (std::find(worker.capabilities.begin(), worker.capabilities.end(), need) == worker.capabilities.end()) {
      return need;
    }
  }
  return {};
}

Fitness fitness(const Worker& worker, const Leg& leg) {
  if (!missing_capability(worker, leg).empty()) return Fitness::none;
  if (native_on(worker, leg.platform)) {
    return worker.locality == Locality::local ? Fitness::native_here : Fitness::native_elsewhere;
  }
  return contains(worker.emulated, leg.platform) ? Fitness::emulated : Fitness::none;
}

std::string refusal_reason(const Leg& leg, const std::vector<Worker>& workers) {
  for (const auto& worker : workers) {
    const std::string need = missing_capability(worker, leg);
    if (!need.empty() && (native_on(worker, leg.platform) || contains(worker.emulated, leg.platform))) {
      return "no worker that runs " + leg.platform.to_string() + " allows " + need;
    }
  }
  return "no worker runs " + leg.platform.to_string() + ", natively or emulated";
}

std::string reason_of(const Leg& leg, const Worker& worker, Fitness fit, std::size_t equals) {
  const std::string platform = leg.platform.to_string();
  std::string reason;
  switch (fit) {
    case Fitness::native_here: reason = platform + " is this machine's own platform"; break;
    case Fitness::native_elsewhere: reason = worker.name + " runs " + platform + " natively, this machine does not"; break;
    default: reason = "no worker runs " + platform + " natively; emulated on " + worker.name;
  }
  if (equals > 1) reason += "; least load for its speed of " + std::to_string(equals);
  return reason;
}

}  // namespace

std::vector<Placement> place(const std::vector<Leg>& legs, std::vector<Worker> workers) {
  std::vector<Placement> out;
  for (const auto& leg : legs) {
    Placement placement{.leg = leg.name, .platform = leg.platform};
    const auto rank = [&](std::size_t i) {
      const Worker& worker = workers[i];
      return std::make_tuple(fitness(worker, leg), worker.load / worker.speed, worker.name);
    };
    for (std::size_t i = 0; i < workers.size(); ++i) {
      if (fitness(workers[i], leg) == Fitness::none) continue;
      if (!placement.worker || rank(i) < rank(*placement.worker)) placement.worker = i;
    }
    if (!placement.worker) {
      placement.reason = refusal_reason(leg, workers);
      out.push_back(std::move(placement));
      continue;
    }
    Worker& chosen = workers[*placement.worker];
    const Fitness fit = fitness(chosen, leg);
    const auto equals = std::count_if(workers.begin(), workers.end(),
                                      [&](const Worker& worker) { return fitness(worker, leg) == fit; });
    placement.worker_name = chosen.name;
    placement.execution = fit == Fitness::native_here      ? Execution::native
                          : fit == Fitness::native_elsewhere ? Execution::remote
                                                             : Execution::emulated;
    placement.reason = reason_of(leg, chosen, fit, static_cast<std::size_t>(equals));
    chosen.load += 1;
    out.push_back(std::move(placement));
  }
  return out;
}

Worker local_worker(std::vector<Platform> emulated) {
  return {.name = "local", .locality = Locality::local, .native = {host_platform()}, .emulated = std::move(emulated)};
}

}  // namespace drydock::worker
