#include "executors/container/job_network.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <sstream>

#include "executors/base/fs.h"
#include "executors/base/process.h"
#include "executors/container/net_sockets.h"

namespace drydock::container {
namespace {

constexpr int k_gateway = 2, k_hub = 254, k_last = 250;  // hosts of the subnet; slirp4netns has 2 and 3
constexpr int k_mtu = 65520;                             // no wire is below: large packets cost less
constexpr int k_uplink_wait_ms = 10000;

/// "ip -batch" in the namespace.
Status ip_commands(int network, const std::string& commands) {
  ProcessSpec spec;
  spec.argv = {"nsenter", "--net=" + path_of(network), "ip", "-batch", "-"};
  spec.input = commands;
  auto result = run_process(spec);
  if (!result) {
    return make_error(ErrorCode::environment, "the job's network cannot be set up: " + result.error().message,
                      "sudo apt-get install iproute2 util-linux");
  }
  if (result->exit_code == 0) return {};
  auto words = result->err.substr(0, result->err.find('\n'));
  return make_error(ErrorCode::environment, "the job's network cannot be set up: ip: " + words,
                    "the kernel needs bridges and virtual Ethernet (modprobe bridge veth)");
}

/// Hexadecimal as /proc/net/route has it: the bytes of the address in memory order, on little-endian machines.
std::optional<std::uint32_t> hexadecimal(const std::string& text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return __builtin_bswap32(value);
}

}  // namespace

Subnet choose_subnet(std::string_view routes) {
  struct Route {
    std::uint32_t destination, mask;
  };
  std::vector<Route> known;
  std::istringstream lines{std::string(routes)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::vector<std::string> columns;
    for (std::string column; fields >> column;) columns.push_back(column);
    if (columns.size() < 8) continue;
    const auto destination = hexadecimal(columns[1]), mask = hexadecimal(columns[7]);
    if (destination && mask && *mask != 0) known.push_back({*destination, *mask});
  }
  for (std::uint32_t third = 7; third < 256; ++third) {
    const std::uint32_t first = (10u << 24) | (193u << 16) | (third << 8);
    const bool taken = std::any_of(known.begin(), known.end(), [first](const Route& route) {
      const auto both = route.mask & 0xffffff00u;
      return (route.destination & both) == (first & both);
    });
    if (!taken) return {"10.193." + std::to_string(third)};
  }
  return {"10.193.7"};
}

Result<std::unique_ptr<JobNetwork>> JobNetwork::make() {
  std::unique_ptr<JobNetwork> made(new JobNetwork);
  const auto routes = read_file("/proc/net/route");
  made->subnet_ = choose_subnet(routes ? *routes : std::string());
  DRYDOCK_TRY(made->make_hub());
  if (auto open = made->open_uplink(); !open) made->why_closed_ = open.error().to_string();
  return made;
}

Status JobNetwork::make_hub() {
  DRYDOCK_ASSIGN(hub_, new_network_namespace());
  return ip_commands(hub_.get(), "link set lo up\nlink add job type bridge\nlink set job mtu " + std::to_string(k_mtu) +
                                     " up\naddr add " + subnet_.address(k_hub) + "/24 dev job\n");
}

Status JobNetwork::open_uplink() {
  const auto program = find_program("slirp4netns");
  if (!program) {
    return make_error(ErrorCode::environment, "slirp4netns is not installed", "sudo apt-get install slirp4netns");
  }
  if (::access("/dev/net/tun", R_OK | W_OK) != 0) {
    return make_error(ErrorCode::environment, "/dev/net/tun cannot be opened by this user",
                      "sudo chmod 0666 /dev/net/tun, as udev has it");
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("pipe", errno);
  const OwnedFd ready(ends[0]);
  OwnedFd told(ends[1]);
  const OwnedFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  sandbox::SupervisedSpec spec;
  spec.argv = {*program, "--cidr=" + subnet_.cidr(), "--mtu=" + std::to_string(k_mtu), "--disable-host-loopback",
               "--netns-type=path", "--ready-fd=3", path_of(hub_.get()), "uplink"};
  spec.environment = current_environment();
  spec.descriptors = {{null.get(), 0}, {null.get(), 1}, {null.get(), 2}, {told.get(), 3}};
  DRYDOCK_ASSIGN(auto started, sandbox::Supervised::start(spec));
  uplink_.emplace(std::move(started));
  told.reset();
  pollfd item{ready.get(), POLLIN, 0};
  char byte = 0;
  if (::poll(&item, 1, k_uplink_wait_ms) != 1 || ::read(ready.get(), &byte, 1) != 1) {
    uplink_.reset();
    return make_error(ErrorCode::environment, "slirp4netns did not start",
                      "try `slirp4netns --configure PID tap0` by hand to see why");
  }
  return ip_commands(hub_.get(), "link set uplink master job up\n");
}

std::string JobNetwork::reserve() { return subnet_.address(last_ < k_last ? ++last_ : last_); }

Result<NetworkEnd> JobNetwork::connect(const std::string& address) {
  NetworkEnd end;
  end.address = address;
  DRYDOCK_ASSIGN(end.network, new_network_namespace());
  const std::string link = "c" + std::to_string(++links_), mtu = std::to_string(k_mtu);
  DRYDOCK_TRY(ip_commands(hub_.get(), "link add " + link + " mtu " + mtu + " type veth peer name eth0 mtu " + mtu +
                                          " netns " + path_of(end.network.get()) + "\nlink set " + link +
                                          " master job up\n"));
  std::string inside = "link set lo up\naddr add " + address + "/24 dev eth0\nlink set eth0 up\n";
  if (why_closed_.empty()) inside += "route add default via " + subnet_.address(k_gateway) + "\n";
  DRYDOCK_TRY(ip_commands(end.network.get(), inside));
  return end;
}

Result<PublishedPort> JobNetwork::publish(const PortMapping& mapping, const NetworkEnd& end) {
  const ForwardTarget target{hub_.get(), end.address, mapping.inside};
  const auto address = mapping.address.empty() ? std::string("127.0.0.1") : mapping.address;
  DRYDOCK_ASSIGN(auto listener, listening_socket(-1, mapping.transport, address, mapping.host));
  const PublishedPort published{mapping, port_of(listener.get())};
  forwarder_->forward(mapping.transport, std::move(listener), target);
  // "localhost" is ::1 first for some; where the machine has no such address, nobody asks for it.
  if (mapping.address.empty()) {
    auto second = listening_socket(-1, mapping.transport, "::1", published.host);
    if (second) forwarder_->forward(mapping.transport, std::move(*second), target);
  }
  return published;
}

Status JobNetwork::lend_loopback(std::uint16_t port, const NetworkEnd& end) {
  DRYDOCK_ASSIGN(auto listener, listening_socket(end.network.get(), Transport::tcp, "127.0.0.1", port));
  forwarder_->forward(Transport::tcp, std::move(listener), {-1, "127.0.0.1", port});
  return {};
}

}  // namespace drydock::container
