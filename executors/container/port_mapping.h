#pragma once
// `ports:` of a container, as `docker create --publish` reads them. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/result.h"

namespace drydock::container {

enum class Transport { tcp, udp };
std::string_view name_of(Transport transport);

struct PortMapping {
  std::string address;         // on the machine; empty: loopback
  std::uint16_t host = 0;      // 0: any that is free
  std::uint16_t inside = 0;
  Transport transport = Transport::tcp;

  friend bool operator==(const PortMapping&, const PortMapping&) = default;
};

/// "5432", "8080:80", "127.0.0.1:8080:80/udp", "9000-9002:9000-9002": one for each port.
Result<std::vector<PortMapping>> parse_ports(std::string_view text);

}  // namespace drydock::container
