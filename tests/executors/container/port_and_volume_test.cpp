#include "executors/container/port_mapping.h"
#include "executors/container/volume.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::container;

TEST_CASE("ports are read as docker create reads them") {
  using Ports = std::vector<PortMapping>;
  CHECK(*parse_ports("5432") == Ports{{"", 0, 5432, Transport::tcp}});
  CHECK(*parse_ports("8080:80") == Ports{{"", 8080, 80, Transport::tcp}});
  CHECK(*parse_ports("53/udp") == Ports{{"", 0, 53, Transport::udp}});
  CHECK(*parse_ports("127.0.0.2:53:5353/udp") == Ports{{"127.0.0.2", 53, 5353, Transport::udp}});
  CHECK(*parse_ports("9000-9001:80-81") == Ports{{"", 9000, 80, Transport::tcp}, {"", 9001, 81, Transport::tcp}});
  CHECK(*parse_ports("80-81") == Ports{{"", 0, 80, Transport::tcp}, {"", 0, 81, Transport::tcp}});
  CHECK(*parse_ports("127.0.0.1::80") == Ports{{"127.0.0.1", 0, 80, Transport::tcp}});
  for (const auto* wrong : {"", "x", "0", "70000", "80/icmp", "1-2:3", "5-4", "80:"}) {
    INFO(wrong);
    CHECK(parse_ports(wrong).error().code == ErrorCode::invalid_input);
  }
}

TEST_CASE("volumes are read as docker create reads them") {
  using Kind = Volume::Kind;
  CHECK(*parse_volume("/a:/b") == Volume{Kind::path, "/a", "/b", false});
  CHECK(*parse_volume("/a:/b:ro") == Volume{Kind::path, "/a", "/b", true});
  CHECK(*parse_volume("/a:/b:rw,z") == Volume{Kind::path, "/a", "/b", false});
  CHECK(*parse_volume("data:/b") == Volume{Kind::named, "data", "/b", false});
  CHECK(*parse_volume("data:/b:nocopy,ro") == Volume{Kind::named, "data", "/b", true, false});
  CHECK(*parse_volume("/b") == Volume{Kind::anonymous, "", "/b", false});
  for (const auto* wrong : {"", "relative", "../up:/b", "/a:b", "/a:/b:shared", "/a:/b:ro:more"}) {
    INFO(wrong);
    CHECK(parse_volume(wrong).error().code == ErrorCode::invalid_input);
  }
}
