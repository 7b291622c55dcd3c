#include "parser/dockerfile/expand.h"

#include "tests/support/catch.h"

using namespace drydock::parser;
using namespace drydock::parser::dockerfile;

namespace {

Dockerfile parsed(const std::string& text) {
  auto result = parse_dockerfile(text, "Dockerfile");
  REQUIRE(result.diagnostics.empty());
  return result.dockerfile;
}

const PlatformFacts k_amd64{"linux/amd64", "linux", "amd64", "", ""};
const PlatformFacts k_armv7{"linux/arm/v7", "linux", "arm", "v7", ""};

template <class T>
T expanded(const std::string& line, const Variables& env) {
  const auto file = parsed("FROM x\n" + line + "\n");
  const auto result = expand(file, file.stages[0].commands[0], lookup_in(env));
  REQUIRE(result.diagnostics.empty());
  return std::get<T>(result.command.body);
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("automatic and global arguments", "[dockerfile]") {
  const auto automatic = automatic_args(k_amd64, k_armv7, "", {{"TARGETOS", "plan9"}});
  CHECK(automatic.at("BUILDPLATFORM") == "linux/amd64");
  CHECK(automatic.at("TARGETPLATFORM") == "linux/arm/v7");
  CHECK(automatic.at("TARGETVARIANT") == "v7");
  CHECK(automatic.at("TARGETOS") == "plan9");
  CHECK(automatic.at("TARGETSTAGE") == "default");
  const auto file = parsed("ARG A=1\nARG B=${A}-$TARGETARCH C\nARG D=x\nFROM img:$B-$D\nFROM --platform=$BUILDPLATFORM "
                           "${NONE:-y}\nFROM $C\n");
  const auto scope = global_scope(file, automatic, {{"D", "given"}});
  CHECK(scope.values.at("B") == "1-arm");
  CHECK(scope.declared.count("C") == 1);
  CHECK(scope.values.count("C") == 0);
  CHECK(resolve_base(file, file.stages[0], scope).base_name == "img:1-arm-given");
  const auto second = resolve_base(file, file.stages[1], scope);
  CHECK(second.base_name == "y");
  CHECK(second.platform == "linux/amd64");
  CHECK(second.unmatched == VariableNames{"NONE"});
  CHECK(has_errors(resolve_base(file, file.stages[2], scope).diagnostics));
}

TEST_CASE("arguments of a stage", "[dockerfile]") {
  const auto file = parsed("ARG G=global\nFROM x\nARG G\nARG G=own\nARG a=1 b=${a}2 c TARGETARCH\nARG d=$none\n");
  const auto automatic = automatic_args(k_amd64, k_armv7, "", {});
  const auto scope = global_scope(file, automatic, {});
  const auto bind = [&](std::size_t i, const Variables& build_args = {}) {
    return bind_args(file, file.stages[0].commands[i], {}, scope, build_args);
  };
  CHECK(bind(0).bindings[0].value == "global");
  CHECK(bind(0, {{"G", "given"}}).bindings[0].value == "given");
  CHECK(bind(1).bindings[0].value == "own");
  const auto several = bind(2).bindings;
  REQUIRE(several.size() == 4);
  CHECK(several[1].value == "12");
  CHECK_FALSE(several[2].value.has_value());
  CHECK(several[3].value == "arm");
  CHECK(bind(3).bindings[0].value == "");
  CHECK(bind(3).unmatched == VariableNames{"none"});
}

TEST_CASE("each command expands its own fields", "[dockerfile]") {
  const Variables env{{"V", "val"}, {"P", "8000-8002"}, {"W", "a b"}};
  const auto env_command = expanded<Env>("ENV V=new X=$V Y='$V' Z=\"a $V\"", env);
  CHECK(env_command.pairs[1].value == "val");
  CHECK(env_command.pairs[2].value == "$V");
  CHECK(env_command.pairs[3].value == "a val");
  const auto copy = expanded<Copy>("COPY --chown=$V:$V $V/x ${W} <<E <<'R' /$V\n$V \"q\" \\$V\nE\n$V\nR", env);
  CHECK(copy.chown == "val:val");
  CHECK(copy.sources == Words{"val/x", "a b"});
  CHECK(copy.destination == "/val");
  CHECK(copy.files[0].content == "val \"q\" $V\n");
  CHECK(copy.files[1].content == "$V\n");
  CHECK(expanded<Expose>("EXPOSE $P 53/UDP", env).ports == Words{"8000/tcp", "8001/tcp", "8002/tcp", "53/udp"});
  CHECK(expanded<Expose>("EXPOSE 7-8 7/udp 8-9 7", env).ports == Words{"7/tcp", "8/tcp", "7/udp", "9/tcp"});
  std::string wide = "EXPOSE";
  for (int i = 0; i < 500; ++i) wide += " 1-65535";
  CHECK(expanded<Expose>(wide, env).ports.size() == 65535);
  CHECK(expanded<Run>("RUN --mount=type=cache,target=/$V,id=\"$W\" echo $V", env).mounts[0].target == "/val");
  CHECK(expanded<Run>("RUN echo $V", env).line.words == Words{"echo $V"});
  CHECK(expanded<Cmd>("CMD echo $V", env).line.words == Words{"echo $V"});
  CHECK(expanded<Label>("LABEL $V=$V", env).pairs[0].key == "val");
  CHECK(expanded<Workdir>("WORKDIR /$V/$unset", env).path == "/val/");
}

TEST_CASE("what goes wrong in expansion is placed", "[dockerfile]") {
  const auto line = GENERATE("WORKDIR ${x:?needed}", "EXPOSE $a-b", "COPY --chmod=99 a b", "VOLUME $none",
                             "RUN --mount=type=$none,target=/x y");
  const auto file = parsed(std::string("FROM x\n") + line + "\n");
  const auto result = expand(file, file.stages[0].commands[0], {});
  INFO(line);
  REQUIRE(result.diagnostics.size() == 1);
  CHECK(result.diagnostics[0].range.start.line == 2);
}

TEST_CASE("proxies and progress", "[dockerfile]") {
  CHECK(is_proxy_arg("http_proxy"));
  CHECK_FALSE(is_proxy_arg("PROXY"));
  CHECK(proxy_environment({{"https_proxy", "p"}}) ==
        std::vector<std::pair<std::string, std::string>>{{"HTTPS_PROXY", "p"}, {"https_proxy", "p"}});
  const auto file = parsed("FROM x\nrun echo \"$A\" $B\nCOPY $A b\nRUN <<E\nfirst\nsecond\nE\n");
  const Variables env{{"A", "1"}};
  const auto& commands = file.stages[0].commands;
  CHECK(progress_text(file, commands[0], lookup_in(env)) == "RUN echo \"1\" $B");
  CHECK(progress_text(file, commands[1], lookup_in(env)) == "COPY 1 b");
  CHECK(progress_text(file, commands[2], lookup_in(env)) == "RUN <<E (first...)");
}
