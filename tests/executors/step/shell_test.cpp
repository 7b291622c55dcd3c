#include "executors/step/shell.h"

#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::step;

namespace {

std::optional<std::string> in_usr_bin(std::string_view name) { return "/usr/bin/" + std::string(name); }

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : "|") + word;
  return out;
}

}  // namespace

TEST_CASE("shells get GitHub's command lines") {
  struct Row {
    const char *shell, *argv, *extension;
  };
  const Row rows[] = {
      {"", "/usr/bin/bash|-e|S", ".sh"},
      {"bash", "/usr/bin/bash|--noprofile|--norc|-e|-o|pipefail|S", ".sh"},
      {"sh", "/usr/bin/sh|-e|S", ".sh"},
      {"python", "/usr/bin/python|S", ".py"},
      {"pwsh", "/usr/bin/pwsh|-command|. 'S'", ".ps1"},
      {"bash {0}", "/usr/bin/bash|S", ".sh"},
      {"perl {0} --flag", "/usr/bin/perl|S|--flag", ""},
      {"env \"A B\" x\\y {0}", "/usr/bin/env|A B|x\\y|S", ""},
  };
  for (const auto& row : rows) {
    INFO(row.shell);
    const auto shell = resolve_shell(row.shell, in_usr_bin);
    REQUIRE(shell.ok());
    CHECK(joined(shell->command("S").argv) == row.argv);
    CHECK(shell->extension == row.extension);
  }
  const auto no_bash = [](std::string_view name) { return name == "sh" ? in_usr_bin(name) : std::nullopt; };
  CHECK(joined(resolve_shell("", no_bash)->command("S").argv) == "/usr/bin/sh|-e|S");
}

TEST_CASE("wrong shells are refused by name") {
  const auto code_of = [](const char* shell) { return resolve_shell(shell, in_usr_bin).error().code; };
  CHECK(code_of("cmd") == ErrorCode::unsupported);
  CHECK(code_of("powershell") == ErrorCode::unsupported);
  CHECK(code_of("node") == ErrorCode::usage);
  CHECK(code_of("bash -x") == ErrorCode::usage);
  const auto missing = resolve_shell("pwsh", [](std::string_view) { return std::nullopt; });
  REQUIRE(!missing.ok());
  CHECK(missing.error().code == ErrorCode::environment);
  CHECK(missing.error().message == "pwsh: command not found");
}

TEST_CASE("script text") {
  CHECK(resolve_shell("bash", in_usr_bin)->script("a\r\nb\n") == "a\nb\n");
  const std::string script = resolve_shell("pwsh", in_usr_bin)->script("Get-Date");
  CHECK(script.starts_with("$ErrorActionPreference = 'stop'\nGet-Date\n"));
  CHECK(script.find("exit $LASTEXITCODE") != std::string::npos);
}
