// RUN for real: containers of busybox, as root.

#include "executors/build/run_step.h"

#include <cstdlib>

#include "tests/executors/build/support.h"

using namespace drydock;
using namespace drydock::build;
using namespace drydock::build::test;
namespace fs = std::filesystem;

namespace {

using Names = std::vector<std::string>;

/// A bench whose Dockerfiles begin on a busybox root file system, as "/".
struct RunBench : Bench {
  RunBench() { add_rootfs(*this); }
  void script(const std::string& text) { dockerfile("FROM scratch\nCOPY rootfs /\n" + text); }

  std::string output(const std::string& text) {
    script(text);
    built();
    return log();
  }
  Error failure(const std::string& text) {
    script(text);
    auto result = build();
    REQUIRE_FALSE(result.ok());
    return result.error();
  }
  /// Names in the layers above the root file system.
  Names layer_names(const std::string& text) {
    script(text);
    Names names;
    const auto made = image();
    for (std::size_t i = 1; i < made.layers.size(); ++i)
      names.insert(names.end(), made.layers[i].begin(), made.layers[i].end());
    return names;
  }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

#define NEEDS_RUNS() \
  if (const auto why = why_no_runs(); !why.empty()) return skipped(why)

}  // namespace

TEST_CASE("RUN: environment, user and directory") {
  NEEDS_RUNS();
  RunBench bench;
  bench.request.build_args = {{"ARGUED", "from-arg"}, {"HTTP_PROXY", "http://proxy:1"}};
  const auto out = bench.output(
      "ENV KEPT=\"from env\"\nARG ARGUED\nRUN env\n"
      "WORKDIR /deep/er\nUSER app\nRUN echo \"dir=$(pwd) uid=$(id -u) gid=$(id -g) groups=$(id -G) "
      "home=$HOME\"\n"
      "USER 7:8\nRUN echo \"ids=$(id -u):$(id -g)\"\n");
  CHECK(has(out, "KEPT=from env\n"));
  CHECK(has(out, "ARGUED=from-arg\n"));
  CHECK(has(out, "HTTP_PROXY=http://proxy:1\n"));
  CHECK(has(out, "HOME=/root\n"));
  CHECK(has(out, "PATH=/usr/local/sbin:"));
  CHECK(has(out, "dir=/deep/er uid=1000 gid=1001 groups=1001 50 home=/home/app\n"));
  CHECK(has(out, "ids=7:8\n"));
}

TEST_CASE("RUN: WORKDIR below USER is the user's own") {
  NEEDS_RUNS();
  RunBench bench;
  CHECK(has(bench.output("USER app\nWORKDIR /srv/app\nRUN touch file && stat -c '%u:%g' /srv/app\n"),
            "1000:1001\n"));
}

TEST_CASE("RUN: only what the command did is in the layer") {
  NEEDS_RUNS();
  RunBench bench;
  const auto names = bench.layer_names(
      "RUN test -s /etc/hosts && test -d /proc/self && test -d /sys/class && test -c /dev/null && touch "
      "/made\n");
  CHECK(names == Names{"made"});
  CHECK(bench.layer_names("RUN mkdir /d && echo x > /d/f\n") == Names{"d/", "d/f"});
  // Changed, removed, replaced.
  CHECK(bench.layer_names("RUN rm /etc/group && echo more >> /etc/passwd\n") ==
        Names{"etc/", "etc/.wh.group", "etc/passwd"});
}

TEST_CASE("RUN: a command that changes nothing makes no layer") {
  NEEDS_RUNS();
  RunBench bench;
  bench.script("RUN true\nRUN touch /x\n");
  const auto image = bench.image();
  CHECK(image.layers.size() == 2);
  const auto& history = image.config["history"];
  REQUIRE(history.size() == 3);
  CHECK(history[1]["empty_layer"] == true);
  CHECK_FALSE(history[2].value("empty_layer", false));
  bench.built();
  CHECK(bench.steps(CacheState::miss).empty());
}

TEST_CASE("RUN: generated files are there and leave no trace") {
  NEEDS_RUNS();
  RunBench bench;
  bench.request.add_hosts = {"given.example:1.2.3.4"};
  const auto out = bench.output(
      "RUN cat /etc/hosts; grep -c . /etc/hosts; cat /etc/resolv.conf >/dev/null && echo resolv\n");
  CHECK(has(out, "127.0.0.1\tlocalhost"));
  CHECK(has(out, "1.2.3.4\tgiven.example"));
  CHECK(has(out, "resolv\n"));
  for (const auto& name : bench.layer_names("RUN echo x > /x; cat /etc/hosts /etc/resolv.conf\n")) {
    CAPTURE(name);
    CHECK(name == "x");
  }
}

TEST_CASE("RUN: secrets are seen, masked and kept nowhere") {
  NEEDS_RUNS();
  RunBench bench;
  bench.request.secrets = {{"token", "s3cr3t-value"}, {"other", "0ther-value"}};
  bench.script(
      "RUN --mount=type=secret,id=token --mount=type=secret,id=other,target=/here/deep,mode=0440,uid=1000 "
      "--mount=type=secret,id=token,env=TOKEN --mount=type=secret,id=absent "
      "test \"$(wc -c < /run/secrets/token)\" = 12 && test \"$(cat /run/secrets/token)\" = \"$TOKEN\" && "
      "echo \"other is $(cat /here/deep)\" && stat -c 'mode %a %u' /run/secrets/token /here/deep && "
      "echo \"saying $TOKEN\" && test ! -e /run/secrets/absent && touch /made\n");
  const auto image = bench.image();
  CHECK(image.layers.back() == Names{"made"});
  CHECK(has(bench.log(), "mode 400 0\nmode 440 1000\n"));
  CHECK(has(bench.log(), "saying ***"));
  CHECK(has(bench.log(), "other is ***"));
  for (const auto& event : bench.events) CHECK_FALSE(has(dump_json(to_json(event)), "s3cr3t-value"));
  CHECK_FALSE(has(image.config.dump(), "s3cr3t"));
  // Nowhere in the store either.
  CHECK(output_of(
            {"sh", "-c", "grep -rl s3cr3t-value \"$1\" || true", "sh", (bench.scratch() / "store").string()})
            .empty());

  // Not in the key: another value is still a hit.
  bench.request.secrets[0].value = "an0ther-s3cret";
  bench.built();
  CHECK(bench.steps(CacheState::miss).empty());
}

TEST_CASE("RUN: a required secret that was not given") {
  NEEDS_RUNS();
  RunBench bench;
  const auto error = bench.failure("RUN --mount=type=secret,id=token,required=true true\n");
  CHECK(error.code == ErrorCode::not_found);
  CHECK(has(error.message, "token"));
  CHECK(has(error.mend, "--secret id=token"));
}

TEST_CASE("RUN: cache mounts outlive builds and are in no layer") {
  NEEDS_RUNS();
  RunBench bench;
  bench.output("RUN --mount=type=cache,target=/cache,id=c echo first > /cache/f\n");
  CHECK(has(bench.output("RUN --mount=type=cache,target=/cache,id=c cat /cache/f && echo 2\n"), "first\n"));
  CHECK_FALSE(has(bench.output("RUN --mount=type=cache,target=/cache,id=d ls /cache && echo 3\n"), "f\n"));
  CHECK(bench.layer_names("RUN --mount=type=cache,target=/cache/npm,id=c touch /x /cache/npm/y\n") ==
        Names{"x"});
  // The target is the id when none is given.
  bench.output("RUN --mount=type=cache,target=/t touch /t/by-target\n");
  CHECK(has(bench.output("RUN --mount=type=cache,target=/t ls /t && echo 4\n"), "by-target"));
  CHECK(
      has(bench.output(
              "RUN --mount=type=cache,target=/own,uid=1000,gid=1001,mode=0700 stat -c 'own %u:%g %a' /own\n"),
          "own 1000:1001 700"));
}

TEST_CASE("RUN: locked cache mounts in any order do not wait for each other for ever") {
  NEEDS_RUNS();
  RunBench bench;
  bench.script(
      "FROM scratch AS a\nCOPY rootfs /\n"
      "RUN --mount=type=cache,target=/x,id=x,sharing=locked --mount=type=cache,target=/y,id=y,sharing=locked "
      "touch /a\n"
      "FROM scratch AS b\nCOPY rootfs /\n"
      "RUN --mount=type=cache,target=/y,id=y,sharing=locked --mount=type=cache,target=/x,id=x,sharing=locked "
      "touch /b\n"
      "FROM scratch\nCOPY --from=a /a /a\nCOPY --from=b /b /b\n");
  bench.built();
  SUCCEED();
}

TEST_CASE("RUN: bind mounts of context and stages") {
  NEEDS_RUNS();
  RunBench bench;
  bench.file("src/file", "from the context");
  bench.file("src/ignored", "must not be seen");
  bench.file(".dockerignore", "src/ignored\n");
  bench.script(
      "FROM scratch AS other\nCOPY rootfs /\nRUN echo from the stage > /made\n"
      "FROM scratch\nCOPY rootfs /\n"
      "RUN --mount=target=/ctx --mount=type=bind,source=src/file,target=/one/file "
      "--mount=from=other,source=/made,target=/stage "
      "cat /ctx/src/file /one/file /stage && test ! -e /ctx/src/ignored && ! touch /ctx/new 2>/dev/null && "
      "touch /done\n"
      "RUN --mount=target=/ctx,rw touch /ctx/new && test -e /ctx/new && touch /done2\n");
  const auto image = bench.image();
  CHECK(image.layers.at(1) == Names{"done"});
  CHECK(image.layers.at(2) == Names{"done2"});
  CHECK_FALSE(fs::exists(bench.context() / "new"));

  bench.file("src/file", "changed");
  bench.built();
  CHECK_FALSE(bench.steps(CacheState::miss).empty());
}

TEST_CASE("RUN: tmpfs") {
  NEEDS_RUNS();
  RunBench bench;
  CHECK(bench.layer_names(
            "RUN --mount=type=tmpfs,target=/scratch,size=1m mount | grep -q ' /scratch type tmpfs' && "
            "echo x > /scratch/f && test -s /scratch/f && touch /x\n") == Names{"x"});
}

TEST_CASE("RUN: network none has a loopback only") {
  NEEDS_RUNS();
  RunBench bench;
  const auto out = bench.output("RUN --network=none ls /sys/class/net | tr '\\n' ' '; echo end\n");
  CHECK(has(out, "lo end"));
  bench.request.network = "none";
  CHECK(has(bench.output("RUN ls /sys/class/net | tr '\\n' ' '; echo end2\n"), "lo end2"));
}

TEST_CASE("RUN: heredocs") {
  NEEDS_RUNS();
  RunBench bench;
  const auto out = bench.output(
      "RUN <<EOF\necho one\necho two\nEOF\n"
      "RUN <<EOF\n#!/bin/sh\necho script $0\nEOF\n"
      "RUN cat <<EOF > /file && cat /file\nhello\nEOF\n");
  CHECK(has(out, "one\ntwo\n"));
  CHECK(has(out, "script "));
  CHECK(has(out, "hello\n"));
  CHECK(bench.layer_names("RUN <<EOF\n#!/bin/sh\ntouch /x\nEOF\n") == Names{"x"});
}

TEST_CASE("RUN: what is said of a failure") {
  NEEDS_RUNS();
  RunBench bench;
  auto error = bench.failure("RUN echo before >&2; exit 42\n");
  CHECK(error.code == ErrorCode::failed);
  CHECK(has(error.message, "exit code 42"));
  CHECK(has(error.message, "/bin/sh -c echo before >&2; exit 42"));
  CHECK(has(error.to_string(), "Dockerfile:3"));
  CHECK(has(bench.log(), "before\n"));
  // Not remembered as a result.
  error = bench.failure("RUN echo before >&2; exit 42\n");
  CHECK(error.code == ErrorCode::failed);

  error = bench.failure("RUN [\"/no/such/program\"]\n");
  CHECK(has(error.to_string(), "/no/such/program"));
  error = bench.failure("USER nobody-here\nRUN true\n");
  CHECK(has(error.to_string(), "nobody-here"));
}

TEST_CASE("RUN: one failing leg ends the others and names the cause") {
  NEEDS_RUNS();
  RunBench bench;
  bench.script(
      "FROM scratch AS slow\nCOPY rootfs /\nRUN sleep 30\nFROM scratch AS bad\nCOPY rootfs /\nRUN exit 3\n"
      "FROM scratch\nCOPY --from=bad / /b\nCOPY --from=slow / /s\n");
  const auto begun = std::chrono::steady_clock::now();
  auto result = bench.build();
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ErrorCode::failed);
  CHECK(has(result.error().message, "exit code 3"));
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(20));
}

TEST_CASE("RUN: the host's trust is lent, not kept") {
  NEEDS_RUNS();
  RunBench bench;
  const auto bundle = bench.scratch() / "ca.crt";
  write(bundle, "a certificate\n");
  ::setenv("SSL_CERT_FILE", bundle.c_str(), 1);
  bench.output("RUN echo \"see=$SSL_CERT_FILE\" && touch /x\n");
  CHECK(has(bench.log(), "see=\n"));
  bench.options.host_trust = HostTrust::visible;
  bench.script("RUN echo \"see=$SSL_CERT_FILE\" && touch /x\n");
  bench.request.no_cache = true;
  const auto image = bench.image();
  ::unsetenv("SSL_CERT_FILE");
  CHECK(has(bench.log(), std::string("see=") + k_trust_path));
  CHECK(image.layers.back() == Names{"x"});
  CHECK(image.config["config"]["Env"].size() == 1);
  CHECK_FALSE(has(image.config.dump(), k_trust_path));
  // In no key: without it the result is found.
  bench.request.no_cache = false;
  bench.options.host_trust = HostTrust::hidden;
  bench.built();
  CHECK(bench.steps(CacheState::miss).empty());
}

TEST_CASE("RUN: a stage mounted by nobody is not run") {
  NEEDS_RUNS();
  RunBench bench;
  bench.script("FROM scratch AS unused\nCOPY rootfs /\nRUN exit 1\nFROM scratch\nCOPY rootfs /\nRUN true\n");
  bench.built();
}

TEST_CASE("RUN: --security=insecure needs the operator's word") {
  NEEDS_RUNS();
  RunBench bench;
  const auto refused = bench.failure("RUN --security=insecure true\n");
  CHECK(refused.code == ErrorCode::permission);
  CHECK(has(refused.mend, "--allow security.insecure"));
  bench.request.allow = {"security.insecure"};
  CHECK(has(bench.output("RUN --security=insecure grep CapEff /proc/self/status\n"), "CapEff"));
}
