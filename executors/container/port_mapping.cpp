#include "executors/container/port_mapping.h"

#include <charconv>
#include <optional>
#include <utility>

namespace drydock::container {
namespace {

using Range = std::pair<std::uint16_t, std::uint16_t>;

std::optional<std::uint16_t> port(std::string_view text) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return {};
  return number;
}

std::optional<Range> range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = port(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : port(text.substr(dash + 1));
  if (!first || !last || *last < *first) return {};
  return Range{*first, *last};
}

}  // namespace

std::string_view name_of(Transport transport) { return transport == Transport::tcp ? "tcp" : "udp"; }

Result<std::vector<PortMapping>> parse_ports(std::string_view whole) {
  const auto wrong = [whole](const std::string& why) {
    return make_error(ErrorCode::invalid_input, "ports: '" + std::string(whole) + "' " + why,
                      "write 5432, 8080:80, 127.0.0.1:8080:80/udp or 9000-9002:9000-9002");
  };
  auto text = whole;
  PortMapping mapping;
  if (const auto slash = text.rfind('/'); slash != std::string_view::npos) {
    const auto transport = text.substr(slash + 1);
    if (transport != "tcp" && transport != "udp") return wrong("is neither tcp nor udp");
    if (transport == "udp") mapping.transport = Transport::udp;
    text = text.substr(0, slash);
  }
  const auto last = text.rfind(':');
  const auto inside = range(last == std::string_view::npos ? text : text.substr(last + 1));
  if (!inside) return wrong("is no port");
  std::string_view host;
  if (last != std::string_view::npos) {
    host = text.substr(0, last);
    if (const auto colon = host.rfind(':'); colon != std::string_view::npos) {
      mapping.address = std::string(host.substr(0, colon));
      host = host.substr(colon + 1);
    }
  }
  std::optional<Range> outside;
  if (!host.empty()) {
    outside = range(host);
    if (!outside) return wrong("is no port");
    if (outside->second - outside->first != inside->second - inside->first) return wrong("has ranges of two lengths");
  }
  std::vector<PortMapping> mappings;
  for (int i = 0; i <= inside->second - inside->first; ++i) {
    mapping.inside = static_cast<std::uint16_t>(inside->first + i);
    mapping.host = outside ? static_cast<std::uint16_t>(outside->first + i) : std::uint16_t{0};
    mappings.push_back(mapping);
  }
  return mappings;
}

}  // namespace drydock::container
