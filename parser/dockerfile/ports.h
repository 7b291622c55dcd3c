#pragma once
// One word of EXPOSE. Pure; thread-safe.

#include <string>
#include <string_view>

namespace drydock::parser::dockerfile {

struct ParsedPort {
  int first = 0, last = 0;
  std::string protocol;            // "tcp", "udp", "sctp"
  bool host_part = false;          // an address or host port stands before it, which means nothing
  bool upper_case_protocol = false;
  std::string error;               // empty on success
  std::string mend;
};

/// "80", "80/udp", "8000-8010/tcp"; "[address:][host port:]port" is understood for old files.
ParsedPort parse_port(std::string_view text);

}  // namespace drydock::parser::dockerfile
