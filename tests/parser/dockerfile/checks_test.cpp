#include "parser/dockerfile/checks.h"

#include "tests/support/catch.h"

using namespace drydock::parser;
using namespace drydock::parser::dockerfile;

namespace {

Diagnostics checked(const std::string& text, const CheckRequest& request = {}) {
  const auto parsed = parse_dockerfile(text, "Dockerfile");
  for (const auto& d : parsed.diagnostics) UNSCOPED_INFO(format_line(d));
  REQUIRE(parsed.diagnostics.empty());
  return run_checks(parsed.dockerfile, request);
}

// "Rule:line Rule:line"
std::string found(const std::string& text, const CheckRequest& request = {}) {
  std::string out;
  for (const auto& d : checked(text, request)) {
    out += (out.empty() ? "" : " ") + d.rule + ":" + std::to_string(d.range.start.line);
  }
  return out;
}

}  // namespace

TEST_CASE("each check finds its case and no more", "[dockerfile]") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"FROM scratch\nCOPY a /a\n", ""},
      {"FROM scratch AS Base\n", "StageNameCasing:1"},
      {"FROM scratch as base\n", "FromAsCasing:1"},
      {"from scratch AS base\n", "FromAsCasing:1"},
      {"FROM scratch\nCOPY a \\\n\n /b\n", "NoEmptyContinuation:4"},
      {"FROM scratch\nCOPY a /b\ncopy a /c\n", "ConsistentInstructionCasing:3"},
      {"from scratch\ncopy a /b\nCopy a /c\n", "ConsistentInstructionCasing:3"},
      {"FROM scratch AS a\nFROM scratch AS a\n", "DuplicateStageName:2"},
      {"FROM scratch AS context\n", "ReservedStageName:1"},
      {"FROM scratch\nCMD a b\n", "JSONArgsRecommended:2"},
      {"FROM scratch\nSHELL [\"x\"]\nENTRYPOINT a b\n", ""},
      {"FROM scratch\nMAINTAINER me\n", "MaintainerDeprecated:2"},
      {"ARG a=b\nFROM scratch$b\n", "UndefinedArgInFrom:2"},
      {"ARG a\nFROM scratch$a\n", ""},
      {"FROM scratch\nENV A=$B PATH=$PATH:/x\n", "UndefinedVar:2"},
      {"FROM scratch\nARG B\nENV A=$B\n", ""},
      {"FROM scratch AS x\nENV B=1\nFROM x\nENV A=$B\n", ""},
      {"FROM scratch\nENV A=1 C=$A\n", "UndefinedVar:2"},
      {"FROM scratch\nWORKDIR a\nWORKDIR b\n", "WorkdirRelativePath:2"},
      {"FROM scratch\nWORKDIR /a\nWORKDIR b\n", ""},
      {"FROM scratch\nCMD [\"a\"]\nCMD [\"b\"]\n", "MultipleInstructionsDisallowed:2"},
      {"FROM scratch AS a\nCMD [\"a\"]\nFROM a\nCMD [\"b\"]\n", ""},
      {"FROM scratch\nENV a b\nLABEL c d\n", "LegacyKeyValueFormat:2 LegacyKeyValueFormat:3"},
      {"ARG v\nFROM busybox:${v}\n", "InvalidDefaultArgInFrom:2"},
      {"ARG v\nFROM busybox:${v:-1}\n", ""},
      {"FROM --platform=$TARGETPLATFORM scratch\n", "RedundantTargetPlatform:1"},
      {"FROM --platform=$BUILDPLATFORM scratch\n", ""},
      {"FROM --platform=linux/amd64 scratch\n", "FromPlatformFlagConstDisallowed:1"},
      {"FROM --platform=linux/amd64 scratch AS build_amd64\n", ""},
      {"FROM scratch\nARG API_TOKEN\nENV password=x\nENV PUBLIC_KEY=1 monkey=2\n",
       "SecretsUsedInArgOrEnv:2 SecretsUsedInArgOrEnv:3"},
      {"FROM scratch\nEXPOSE 80/TCP\nEXPOSE 1:2\n", "ExposeProtoCasing:2 ExposeInvalidFormat:3"},
      {"# check=skip=StageNameCasing\nFROM scratch AS Base\n", ""},
      {"# check=skip=all\nFROM scratch as Base\n", ""},
      {"FROM scratch\n# check=skip=LegacyKeyValueFormat\nENV a b\nENV c d\n", "LegacyKeyValueFormat:4"},
      {"# check=experimental=InvalidDefinitionDescription\n# bar is it\nARG foo=1\nFROM scratch\n",
       "InvalidDefinitionDescription:3"},
      {"# bar is it\nARG foo=1\nFROM scratch\n", ""},
  }));
  INFO(text);
  CHECK(found(text) == expected);
}

TEST_CASE("findings are errors when the file says so", "[dockerfile]") {
  const auto findings = checked("# check=error=true\nFROM scratch AS Base\n");
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].severity == Severity::error);
  CHECK(checked("FROM scratch AS Base\n").at(0).severity == Severity::warning);
  CHECK(found("# check=what=ever\nFROM scratch\n") == "syntax:1");
}

TEST_CASE("copies of ignored files", "[dockerfile]") {
  const auto ignore = compile_dockerignore("secret\n*.log\n", "f").matcher;
  const auto excepted = compile_dockerignore("secret\n!secret/x\n", "f").matcher;
  const std::string text =
      "FROM scratch AS a\nCOPY secret/x /\nCOPY . /\nADD ./a.log b /\nCOPY --from=x secret /\nADD http://secret /\n";
  CheckRequest request;
  request.ignore = &ignore;
  CHECK(found(text, request) == "CopyIgnoredFile:2 CopyIgnoredFile:4");
  request.ignore = &excepted;
  CHECK(found(text, request) == "");
}

TEST_CASE("variables of a base image", "[dockerfile]") {
  const std::string text = "FROM image\nENV A=$JAVA_HOME B=$JAVA_HOM\n";
  CHECK(checked(text).at(0).mend.find("unless the base image") != std::string::npos);
  CheckRequest request;
  request.image_env = [](const std::string&, const std::string&) { return VariableNames{"JAVA_HOME"}; };
  const auto findings = checked(text, request);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].mend == "did you mean $JAVA_HOME?");
}

TEST_CASE("only the stages of a target are followed", "[dockerfile]") {
  CheckRequest request;
  request.target = "one";
  CHECK(found("FROM scratch AS one\nWORKDIR a\nFROM scratch AS two\nWORKDIR b\n", request) == "WorkdirRelativePath:2");
}
