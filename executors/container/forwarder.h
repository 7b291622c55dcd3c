#pragma once
// Forwarder: passes connections from one network to another. It owns the listening sockets it is given, and threads
// for them; all ends with it. Thread-safe.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "executors/base/process_launch.h"
#include "executors/base/result.h"
#include "executors/container/port_mapping.h"

namespace drydock::container {

/// Where connections go.
struct ForwardTarget {
  int network = -1;  // descriptor of its namespace, which must live as long; -1: this process's
  std::string address;
  std::uint16_t port = 0;
};

class Forwarder {
 public:
  Forwarder();
  ~Forwarder();
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  void forward(Transport transport, OwnedFd listener, ForwardTarget target);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace drydock::container
