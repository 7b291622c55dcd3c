#include "executors/sandbox/emulation.h"

#include <fcntl.h>

#include "tests/executors/sandbox/support.h"

using namespace drydock;
using namespace drydock::sandbox;
using namespace drydock::sandbox::test;
namespace fs = std::filesystem;

namespace {

Platform linux_on(const std::string& architecture) { return {"linux", architecture, "", ""}; }

std::string hex(const std::string& bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) text += {digits[byte >> 4], digits[byte & 15]};
  return text;
}

BinfmtEntry entry(const std::string& architecture, const std::string& flags) {
  const auto pattern = *binfmt_pattern(architecture);
  return {"qemu-" + pattern.qemu, "/usr/libexec/qemu", flags, pattern.magic, pattern.mask, 0, true};
}

// All that a Linux 6.7 machine with QEMU and user namespaces has.
EmulationFacts good_machine() {
  EmulationFacts facts;
  facts.host = linux_on("amd64");
  facts.qemu = Qemu{"/usr/bin/qemu-aarch64-static", "7.2.22", "", ""};
  facts.user_namespace = facts.private_binfmt = true;
  return facts;
}

}  // namespace

TEST_CASE("binfmt patterns follow the ELF header") {
  const struct {
    const char *architecture, *magic, *mask;
  } table[] = {
      {"amd64", "7f454c4602010100000000000000000002003e00", "ffffffffffffff00fffffffffffffffffeffffff"},
      {"386", "7f454c4601010100000000000000000002000300", "ffffffffffffff00fffffffffffffffffeffffff"},
      {"arm64", "7f454c460201010000000000000000000200b700", "ffffffffffffff00fffffffffffffffffeffffff"},
      {"arm", "7f454c4601010100000000000000000002002800", "ffffffffffffff00fffffffffffffffffeffffff"},
      {"riscv64", "7f454c460201010000000000000000000200f300", "ffffffffffffff00fffffffffffffffffeffffff"},
      {"ppc64le", "7f454c4602010100000000000000000002001500", "ffffffffffffff00fffffffffffffffffeffffff"},
      {"s390x", "7f454c4602020100000000000000000000020016", "ffffffffffffff00fffffffffffffffffffeffff"},
      {"mips64le", "7f454c4602010100000000000000000002000800", "ffffffffffffff00fffffffffffffffffeffffff"},
      {"loong64", "7f454c4602010100000000000000000002000201", "ffffffffffffff00fffffffffffffffffeffffff"},
  };
  CHECK(all_binfmt_patterns().size() == std::size(table));
  for (const auto& row : table) {
    INFO(row.architecture);
    const auto pattern = binfmt_pattern(row.architecture);
    REQUIRE(pattern);
    CHECK(hex(pattern->magic) == row.magic);
    CHECK(hex(pattern->mask) == row.mask);
  }
  CHECK_FALSE(binfmt_pattern("wasm"));
}

TEST_CASE("each pattern takes its own tiny binary and no other") {
  for (const auto& pattern : all_binfmt_patterns()) {
    for (const auto& other : all_binfmt_patterns()) {
      INFO(pattern.architecture << " and " << other.architecture);
      const bool takes = entry_for({entry(pattern.architecture, "F")}, other.architecture).has_value();
      CHECK(takes == (pattern.architecture == other.architecture));
    }
  }
}

TEST_CASE("registration line and what the kernel shows of it") {
  const auto line = registration_line(*binfmt_pattern("arm64"), "drydock-aarch64", "/usr/bin/qemu-aarch64-static", "CF");
  CHECK(line.starts_with(":drydock-aarch64:M:0:\\x7f\\x45\\x4c\\x46\\x02"));
  CHECK(line.ends_with(":/usr/bin/qemu-aarch64-static:CF"));
  const auto shown = parse_binfmt_entry("qemu-aarch64",
                                        "enabled\ninterpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\n"
                                        "flags: POCF\noffset 0\nmagic 7f454c460201010000000000000000000200b700\n"
                                        "mask ffffffffffffff00fffffffffffffffffeffffff\n");
  REQUIRE(shown);
  CHECK(shown->enabled);
  CHECK(shown->flags == "POCF");
  CHECK(entry_for({*shown}, "arm64"));
  CHECK_FALSE(entry_for({*shown}, "arm"));
  const auto disabled = parse_binfmt_entry("x", "disabled\ninterpreter /x\nflags: F\noffset 0\nmagic 7f45\n");
  REQUIRE(disabled);
  CHECK_FALSE(entry_for({*disabled}, "arm64"));
  CHECK_FALSE(parse_binfmt_entry("status", "enabled\n"));
}

TEST_CASE("QEMU's version and known defects") {
  const auto debian = parse_qemu_version(
      "qemu-aarch64 version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)\nCopyright (c) 2003-2022 Fabrice Bellard\n");
  REQUIRE(debian);
  CHECK(debian->version == "7.2.22");
  CHECK(debian->distribution == "Debian 1:7.2+dfsg-7+deb12u18+b3");
  CHECK(parse_qemu_version("qemu-arm version 10.0.0\n")->version == "10.0.0");
  CHECK_FALSE(parse_qemu_version("bash: no such thing"));
  CHECK(known_defect("arm64", "7.2.22").empty());
  CHECK_FALSE(known_defect("arm64", "9.2.0").empty());
  CHECK_FALSE(known_defect("arm64", "5.2.0").empty());
  CHECK(known_defect("arm64", "9.2.2").empty());
  CHECK(known_defect("s390x", "9.2.0").empty());
}

TEST_CASE("how a platform can run is decided from facts alone") {
  struct Row {
    std::string name, architecture;
    EmulationFacts facts;
    EmulationWay way;
  };
  std::vector<Row> table;
  const auto add = [&table](std::string name, std::string architecture, EmulationWay way) -> EmulationFacts& {
    table.push_back({std::move(name), std::move(architecture), good_machine(), way});
    return table.back().facts;
  };
  add("own architecture", "amd64", EmulationWay::native);
  add("386 on amd64", "386", EmulationWay::native);
  add("in a namespace", "arm64", EmulationWay::own_namespace);
  add("a registration out of sight", "arm64", EmulationWay::own_namespace).native_runs = true;
  {
    auto& facts = add("a registration out of sight, old kernel", "arm64", EmulationWay::host_registration);
    facts.native_runs = true;
    facts.private_binfmt = false;
  }
  {
    auto& facts = add("arm on an arm64 CPU that has it", "arm", EmulationWay::native);
    facts.host = linux_on("arm64");
    facts.native_runs = true;
  }
  {
    auto& facts = add("host registration with F", "arm64", EmulationWay::host_registration);
    facts.entries = {entry("arm64", "OCF")};
    facts.native_runs = true;
  }
  {
    auto& facts = add("host registration without F", "arm64", EmulationWay::own_namespace);
    facts.entries = {entry("arm64", "OC")};
    facts.native_runs = true;
  }
  {
    auto& facts = add("broken host registration", "arm64", EmulationWay::own_namespace);
    facts.entries = {entry("arm64", "F")};
  }
  {
    auto& facts = add("old kernel, root, allowed", "arm64", EmulationWay::register_on_host);
    facts.private_binfmt = false;
    facts.root = facts.may_register_on_host = true;
  }
  {
    auto& facts = add("old kernel, root, not allowed", "arm64", EmulationWay::refused);
    facts.private_binfmt = false;
    facts.root = true;
  }
  {
    auto& facts = add("no QEMU", "arm64", EmulationWay::refused);
    facts.qemu.reset();
    facts.qemu_mend = "sudo apt-get install qemu-user-static";
  }
  {
    auto& facts = add("no user namespace", "arm64", EmulationWay::refused);
    facts.user_namespace = false;
    facts.user_namespace_why = "switched off";
    facts.user_namespace_mend = "switch it on";
  }
  add("unknown to QEMU", "wasm", EmulationWay::refused);
  for (const auto& row : table) {
    INFO(row.name);
    const auto plan = decide_emulation(linux_on(row.architecture), row.facts);
    CHECK(name_of(plan.way) == name_of(row.way));
    CHECK_FALSE(plan.why.empty());
    CHECK(plan.mend.empty() == (plan.way != EmulationWay::refused));
  }
  CHECK(decide_emulation({"windows", "amd64", "", ""}, good_machine()).way == EmulationWay::refused);
}

TEST_CASE("an emulator's crash is told from a program's failure") {
  const struct {
    int exit_code, signal;
    const char* text;
    Emulated emulated;
    FailureKind kind;
  } table[] = {
      {1, 0, "npm ERR! missing script", Emulated::yes, FailureKind::program},
      {139, 11, "", Emulated::yes, FailureKind::emulator_crash},
      {139, 11, "", Emulated::no, FailureKind::program},
      {139, 0, "", Emulated::yes, FailureKind::emulator_crash},
      {132, 4, "", Emulated::yes, FailureKind::emulator_crash},
      {134, 6, "assertion failed", Emulated::yes, FailureKind::program},
      {134, 6, "qemu: uncaught target signal 6 (Aborted) - core dumped\n", Emulated::yes, FailureKind::program},
      {100, 0, "qemu: uncaught target signal 11 (Segmentation fault) - core dumped\nE: Sub-process /usr/bin/dpkg",
       Emulated::yes, FailureKind::emulator_crash},
      {1, 0, "qemu: uncaught target signal 11 (Segmentation fault)", Emulated::no, FailureKind::program},
      {255, 0, "exec /bin/sh: exec format error\n", Emulated::no, FailureKind::no_emulator},
      {126, 0, "sh: ./tool: Exec format error\n", Emulated::yes, FailureKind::no_emulator},
      {137, 9, "", Emulated::yes, FailureKind::killed},
      {134, 6, "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", Emulated::yes,
       FailureKind::out_of_memory},
  };
  for (const auto& row : table) {
    INFO(row.exit_code << " " << row.text);
    const auto failure = classify_failure(row.exit_code, row.signal, row.text, row.emulated);
    CHECK(name_of(failure.kind) == name_of(row.kind));
    CHECK(failure.retry() == (row.kind == FailureKind::emulator_crash));
  }
}

TEST_CASE("this machine runs its own tiny binary", "[real]") {
  const auto probe = probe_platform(host_platform());
  INFO(probe.detail);
  CHECK(probe.runs());
  CHECK(probe_platform(linux_on("wasm")).outcome == ProbeOutcome::unknown_architecture);
}

TEST_CASE("tiny binaries run under QEMU called by hand", "[real]") {
  const Scratch scratch;
  int tried = 0;
  for (const auto& pattern : all_binfmt_patterns()) {
    const auto qemu = find_qemu(pattern.architecture);
    if (!qemu) continue;
    INFO(pattern.architecture << " " << qemu->path);
    const auto file = scratch.path() / pattern.architecture;
    write(file, std::string(tiny_binary(pattern.architecture)));
    fs::permissions(file, fs::perms(0755));
    ProcessSpec spec;
    spec.argv = {qemu->path.string(), file.string()};
    const auto result = run_process(spec);
    REQUIRE(result);
    CHECK(result->exit_code == 42);
    ++tried;
  }
  if (tried == 0) skipped("qemu-user-static is not installed");
}

TEST_CASE("inside: every platform runs", "[.inside]") {
  std::vector<Platform> platforms;
  for (const auto& pattern : all_binfmt_patterns()) {
    if (find_qemu(pattern.architecture)) platforms.push_back(linux_on(pattern.architecture));
  }
  const auto emulators = set_up_emulation(platforms);
  if (!emulators) FAIL(emulators.error().to_string());
  for (const auto& plan : emulators->plans) {
    const auto probe = probe_platform(plan.platform);
    INFO(plan.why << ": " << probe.detail);
    CHECK(probe.runs());
  }
}

TEST_CASE("every platform runs in a user namespace, and the host stays as it was", "[real]") {
  if (const auto support = probe_user_namespace(); !support.possible) return skipped(support.why);
  if (!private_binfmt_works()) return skipped("no binfmt_misc in user namespaces on this kernel");
  const Scratch scratch;
  const auto rerun = in_user_namespace("inside: every platform runs", scratch.path());
  INFO(rerun.output);
  CHECK(rerun.exit_code == 0);
  for (const auto& entry : read_binfmt_entries()) {
    for (const auto& pattern : all_binfmt_patterns()) CHECK(entry.name != "drydock-" + pattern.qemu);
  }
}
