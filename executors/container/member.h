#pragma once
// Member: one container of a pod, from its plan to its end: image, root file system, files lent to it, network, first
// process. Internal to this room.

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "executors/base/events.h"
#include "executors/container/container_plan.h"
#include "executors/container/image_root.h"
#include "executors/container/job_network.h"
#include "executors/container/running_container.h"
#include "executors/container/service_log.h"

namespace drydock::container {

/// What members share with their pod.
struct PodPlaces {
  const PodRequest* request = nullptr;
  Bus* bus = nullptr;
  std::filesystem::path directory;  // the pod's own
  std::filesystem::path state_dir;
  bool limits_work = false;         // whether memory and processor time can be limited
};

class Member {
 public:
  Member(ContainerPlan plan, std::string id, std::string address, const PodPlaces& places);
  ~Member();

  Status pull(std::stop_token stop);
  /// Instead of pull().
  void use(PulledImage image) { image_.emplace(std::move(image)); }
  /// Mounts and files; `names` are all of the pod's. `mounts` come after those that every container has.
  Status prepare(JobNetwork& network, const std::vector<HostName>& names,
                 const std::vector<sandbox::ContainerMount>& mounts);
  Status start(const sandbox::Runtime& runtime);

  /// A service's own program, from now on, on a thread.
  Status run_program();
  /// Blocks until it is healthy, or at once without a health check; an error when it is not, or has ended.
  Status wait_until_ready(std::stop_token stop);

  const ContainerPlan& plan() const { return plan_; }
  const std::string& id() const { return id_; }
  const std::string& address() const { return address_; }
  const NetworkEnd& end() const { return *end_; }
  const RunningContainer& container() const { return *container_; }
  const oci::ContainerConfig& image() const { return root_->image().config().config; }
  const std::vector<PublishedPort>& ports() const { return ports_; }
  const std::string& directory_inside() const { return directory_inside_; }
  Environment environment() const;
  /// By which the other containers know it.
  std::vector<std::string> names() const;
  const ServiceLog& log() const { return log_; }

 private:
  std::string hostname() const { return plan_.options.hostname.empty() ? id_.substr(0, 12) : plan_.options.hostname; }
  Status lend_files(JobNetwork& network, const std::vector<HostName>& names);
  Status add_volume(const Volume& volume);
  Result<std::string> copy_of(const std::string& path);
  Status fill_volume(const std::string& directory, const Volume& volume);
  Status check_options() const;
  std::optional<Error> ended_error() const;

  ContainerPlan plan_;
  std::string id_, address_;
  const PodPlaces& places_;
  std::filesystem::path directory_;
  std::optional<PulledImage> image_;
  std::optional<ImageRoot> root_;
  std::vector<sandbox::Mount> copies_;
  sandbox::ContainerSpec spec_;
  std::string directory_inside_;
  std::optional<NetworkEnd> end_;
  std::vector<PublishedPort> ports_;
  std::unique_ptr<RunningContainer> container_;

  ServiceLog log_;
  std::stop_source stop_;
  std::thread program_;
  std::atomic<bool> ended_ = false;
  std::optional<Result<ProcessResult>> result_;  // read after ended_
};

}  // namespace drydock::container
