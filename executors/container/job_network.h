#pragma once
// JobNetwork: the network of one job: a bridge in a network namespace of its own, on which each container has a
// namespace and an address, and slirp4netns beside it as the way out. Needs no rights over the machine's network, so it
// is the same for root and in a user namespace. Everything ends with the last descriptor and with slirp4netns, which
// is supervised. Not thread-safe.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/process_launch.h"
#include "executors/base/result.h"
#include "executors/container/forwarder.h"
#include "executors/sandbox/supervisor.h"

namespace drydock::container {

/// A /24, as its first three numbers.
struct Subnet {
  std::string prefix;  // "10.193.7"
  std::string address(int host) const { return prefix + "." + std::to_string(host); }
  std::string cidr() const { return prefix + ".0/24"; }
};
/// The first of ours that no route of the machine leads into; `routes` is the text of /proc/net/route.
Subnet choose_subnet(std::string_view routes);

/// A container's place in the network.
struct NetworkEnd {
  OwnedFd network;      // its namespace
  std::string address;
};

struct PublishedPort {
  PortMapping asked;
  std::uint16_t host = 0;
};

class JobNetwork {
 public:
  /// Without slirp4netns, or where it cannot work, there is no way out; why_closed() says so.
  static Result<std::unique_ptr<JobNetwork>> make();

  /// The address that the next container gets: known before it is made, for /etc/hosts.
  std::string reserve();
  /// A namespace with loopback, eth0 and a route.
  Result<NetworkEnd> connect(const std::string& address);

  /// On the machine's loopback, unless the mapping says otherwise, to a container.
  Result<PublishedPort> publish(const PortMapping& mapping, const NetworkEnd& end);
  /// Makes 127.0.0.1:port of the machine answer at 127.0.0.1:port in the container.
  Status lend_loopback(std::uint16_t port, const NetworkEnd& end);

  /// For /etc/resolv.conf: answers as the machine does.
  std::string name_server() const { return subnet_.address(3); }
  const std::string& why_closed() const { return why_closed_; }

 private:
  JobNetwork() = default;
  Status make_hub();
  Status open_uplink();

  Subnet subnet_;
  OwnedFd hub_;
  int last_ = 9, links_ = 0;
  std::string why_closed_;
  std::optional<sandbox::Supervised> uplink_;
  std::unique_ptr<Forwarder> forwarder_ = std::make_unique<Forwarder>();
};

}  // namespace drydock::container
