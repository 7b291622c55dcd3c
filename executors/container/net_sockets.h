#pragma once
// Network namespaces as descriptors, and sockets in them. A socket belongs to the namespace it was made in, whoever
// uses it afterwards, which is what lets one process connect two networks. Thread-safe. Internal to this room.

#include <cstdint>
#include <functional>
#include <string>

#include "executors/base/process_launch.h"
#include "executors/base/result.h"
#include "executors/container/port_mapping.h"

namespace drydock::container {

/// A new, empty one; it lives for as long as a descriptor or a process does.
Result<OwnedFd> new_network_namespace(const std::function<Status()>& inside = {});

/// Runs `work` in the namespace, on a thread of its own; -1 is this process's.
Status in_network(int network, const std::function<Status()>& work);

/// Bound to address:port in the namespace, and listening when it is TCP. Port 0 lets the kernel choose.
Result<OwnedFd> listening_socket(int network, Transport transport, const std::string& address, std::uint16_t port);
/// The port that a socket is bound to.
std::uint16_t port_of(int socket);

/// Connected; not_found when nobody answers.
Result<OwnedFd> connected_socket(int network, Transport transport, const std::string& address, std::uint16_t port);

/// How other programs of this process's mount namespace open the descriptor.
std::string path_of(int descriptor);

}  // namespace drydock::container
