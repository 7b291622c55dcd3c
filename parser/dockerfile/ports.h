#pragma once
// One word of EXPOSE. Pure; thread-safe.

#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::dockerfile {

struct ParsedPort {
  std::vector<std::string> ports;  // "80/tcp", a range one by one
  bool host_part = false;          // an address or host port stands before it, which means nothing
  bool upper_case_protocol = false;
  std::string error;               // empty on success
  std::string mend;
};

/// "80", "80/udp", "8000-8010/tcp"; "[address:][host port:]port" is understood for old files.
ParsedPort parse_port(std::string_view text);

}  // namespace drydock::parser::dockerfile
