#include "runner/lint/script_memory.h"

#include "executors/base/fs.h"
#include "runner/lint/script_checker.h"

#include <sys/stat.h>

#include "tests/support/catch.h"

namespace drydock::runner {

namespace {

/// A program that answers as shellcheck does and writes a letter for each script that it is given.
std::string counting_program(const std::string& directory, const std::string& version) {
  const auto path = directory + "/shellcheck";
  const std::string text = "#!/bin/sh\nif [ \"$1\" = --version ]; then echo " + version +
                           "; exit; fi\ncat > /dev/null\nprintf x >> " + directory +
                           "/asked\necho '[{\"code\":2086,\"level\":\"info\",\"line\":2,\"column\":3," +
                           "\"message\":\"quote\"}]'\n";
  REQUIRE(write_file_atomic(path, text).ok());
  ::chmod(path.c_str(), 0755);
  return path;
}

}  // namespace

TEST_CASE("a script is checked once over several runs, and again by another version") {
  const auto folder = TempDir::create().value();
  const auto directory = folder.path();
  const auto ask = [&](const std::string& version, const char* shell, const char* script) {
    ScriptChecker checker(counting_program(directory, version), "", directory + "/kept");
    const auto findings = checker.check(shell, script);
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].message == "SC2086 (info) in line 1, column 3 of the script: quote");
    return read_file(directory + "/asked").value().size();
  };
  CHECK(ask("1", "bash", "echo $x") == 1);
  CHECK(ask("1", "bash", "echo $x") == 1);
  CHECK(ask("1", "sh", "echo $x") == 2);
  CHECK(ask("1", "bash", "echo $y") == 3);
  CHECK(ask("2", "bash", "echo $x") == 4);
}

TEST_CASE("a broken record is no record") {
  const auto folder = TempDir::create().value();
  const ScriptMemory memory(folder.path());
  const auto key = ScriptMemory::key("v", "sh", "x");
  CHECK(key != ScriptMemory::key("vs", "h", "x"));
  CHECK_FALSE(memory.find(key));
  memory.keep(key, {});
  REQUIRE(memory.find(key));
  CHECK(memory.find(key)->empty());
  const auto text = GENERATE("", "[]", "{\"schema\":2,\"findings\":[]}", "{\"schema\":1}", "{\"schema\":1,\"findings\":[1]}");
  REQUIRE(write_file_atomic(folder.path() + "/" + key.substr(0, 2) + "/" + key + ".json", text).ok());
  CHECK_FALSE(memory.find(key));
}

}  // namespace drydock::runner
