#include "parser/dockerfile/ports.h"

#include <charconv>
#include <optional>
#include <utility>

#include "parser/dockerfile/text.h"

namespace drydock::parser::dockerfile {

namespace {

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (value < 0 || value > 65535) return std::nullopt;
  return value;
}

std::optional<std::pair<int, int>> range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = number(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : number(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return std::pair{*first, *last};
}

}  // namespace

ParsedPort parse_port(std::string_view text) {
  ParsedPort result;
  const auto wrong = [&](const std::string& why) {
    result.error = "invalid port \"" + std::string(text) + "\": " + why;
    result.mend = "write a number from 0 to 65535, a range a-b, and /tcp, /udp or /sctp if needed";
    return result;
  };
  auto rest = text;
  std::optional<std::pair<int, int>> host;
  if (const auto colon = rest.rfind(':'); colon != std::string_view::npos) {
    auto before = rest.substr(0, colon);
    rest = rest.substr(colon + 1);
    result.host_part = !before.empty();
    const auto address = before.rfind(':');
    const auto host_port = address == std::string_view::npos ? before : before.substr(address + 1);
    if (!host_port.empty() && !(host = range(host_port))) return wrong("the host port is no port");
  }
  const auto slash = rest.find('/');
  const auto protocol = slash == std::string_view::npos ? std::string_view("tcp") : rest.substr(slash + 1);
  const auto name = protocol.empty() ? "tcp" : lower(protocol);
  result.upper_case_protocol = !protocol.empty() && name != protocol;
  if (name != "tcp" && name != "udp" && name != "sctp") return wrong("unknown protocol " + name);
  const auto ports = range(rest.substr(0, slash));
  if (!ports) return wrong("it is no port");
  const int width = ports->second - ports->first;
  if (host && width != 0 && host->second - host->first != width) return wrong("the two ranges differ in length");
  result.first = ports->first;
  result.last = ports->second;
  result.protocol = name;
  return result;
}

}  // namespace drydock::parser::dockerfile
