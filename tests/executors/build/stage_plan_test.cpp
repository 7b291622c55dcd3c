#include "executors/build/stage_plan.h"

#include "parser/dockerfile/expand.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::build;
namespace df = parser::dockerfile;

namespace {

struct Given {
  df::Variables build_args;
  std::vector<oci::ImageConfig> images;  // config of FROM's image, for the stages that have one
  Platform platform{"linux", "amd64", "", ""};
};

/// Every stage of a Dockerfile, planned as a leg does it.
std::vector<PlannedStage> plan_all(const std::string& text, const Given& given = {}) {
  const auto parsed = df::parse_dockerfile(text, "Dockerfile");
  REQUIRE(parsed.ok());
  const auto& file = parsed.dockerfile;
  const df::PlatformFacts facts{given.platform.to_string(), given.platform.os, given.platform.architecture,
                                "", ""};
  const auto globals =
      df::global_scope(file, df::automatic_args(facts, facts, "", given.build_args), given.build_args);
  df::GraphRequest graph_request;
  for (const auto& stage : file.stages)
    graph_request.base_names.push_back(df::resolve_base(file, stage, globals).base_name);
  const auto graph = df::build_stage_graph(file, graph_request);
  REQUIRE(graph.ok());
  std::vector<PlannedStage> planned;
  std::size_t image = 0;
  for (std::size_t i = 0; i < file.stages.size(); ++i) {
    StagePlanRequest request;
    request.dockerfile = &file;
    request.graph = &graph;
    request.globals = &globals;
    request.stage = i;
    request.file = "Dockerfile";
    request.platform = given.platform;
    request.base = source_of(graph.nodes[i].inputs.front(), {});
    request.build_args = given.build_args;
    if (request.base.kind == FileSource::Kind::stage) {
      request.base_config = planned[request.base.stage].plan.config;
      request.base_args = planned[request.base.stage].plan.args;
    } else if (request.base.kind == FileSource::Kind::image && image < given.images.size()) {
      request.base_config = given.images[image++];
    }
    planned.push_back(plan_stage(request));
  }
  return planned;
}

StagePlan plan(const std::string& text, const Given& given = {}) {
  auto planned = plan_all(text, given);
  for (const auto& stage : planned) {
    for (const auto& problem : stage.diagnostics) UNSCOPED_INFO(problem.message);
    REQUIRE_FALSE(parser::has_errors(stage.diagnostics));
  }
  return planned.back().plan;
}

const RunPlan& run_of(const StagePlan& plan, std::size_t step) {
  return std::get<RunPlan>(plan.steps.at(step).work);
}
const CopyPlan& copy_of(const StagePlan& plan, std::size_t step) {
  return std::get<CopyPlan>(plan.steps.at(step).work);
}

std::string value_of(const std::vector<std::string>& env, const std::string& name) {
  for (const auto& item : env) {
    if (item.starts_with(name + "=")) return item.substr(name.size() + 1);
  }
  return "(none)";
}

using Texts = std::vector<std::string>;

Texts history_of(const StagePlan& plan) {
  Texts texts;
  for (const auto& item : plan.history) texts.push_back(item.created_by);
  return texts;
}

constexpr const char* k_path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

}  // namespace

TEST_CASE("ENV is kept by the image, ARG is seen by RUN only") {
  const auto made = plan("FROM scratch\nENV A=1 B=2\nARG C=3\nENV A=4 D=$C\nRUN true\nENV E=5\n");
  CHECK(made.config.config.env == Texts{k_path, "A=4", "B=2", "D=3", "E=5"});
  const auto& env = run_of(made, 0).env;
  CHECK(value_of(env, "A") == "4");
  CHECK(value_of(env, "C") == "3");
  CHECK(value_of(env, "D") == "3");
  CHECK(value_of(env, "E") == "(none)");
}

TEST_CASE("where the value of an ARG comes from") {
  struct Case {
    const char* what;
    const char* text;
    df::Variables build_args;
    const char* value;
  };
  const Case cases[] = {
      {"own default", "FROM scratch\nARG V=own\nRUN x\n", {}, "own"},
      {"build argument", "FROM scratch\nARG V=own\nRUN x\n", {{"V", "given"}}, "given"},
      {"global default", "ARG V=global\nFROM scratch\nARG V\nRUN x\n", {}, "global"},
      {"global not asked for", "ARG V=global\nFROM scratch\nRUN x\n", {}, "(none)"},
      {"no value at all", "FROM scratch\nARG V\nRUN x\n", {}, "(none)"},
      {"not declared", "FROM scratch\nRUN x\n", {{"V", "given"}}, "(none)"},
      {"declared too late", "FROM scratch\nRUN x\nARG V=own\n", {}, "(none)"},
      {"ENV wins over ARG", "FROM scratch\nARG V=own\nENV V=env\nRUN x\n", {{"V", "given"}}, "env"},
      {"empty build argument", "FROM scratch\nARG V=own\nRUN x\n", {{"V", ""}}, ""},
      {"default from ARG before", "FROM scratch\nARG U=u\nARG V=$U-v\nRUN x\n", {}, "u-v"},
      {"platform", "FROM scratch\nARG TARGETARCH\nARG V=$TARGETARCH\nRUN x\n", {}, "amd64"},
      {"inherited by a child stage", "FROM scratch AS base\nARG V=own\nFROM base\nRUN x\n", {}, "own"},
      {"inherited with build argument",
       "FROM scratch AS base\nARG V=own\nFROM base\nRUN x\n",
       {{"V", "given"}},
       "given"},
      {"not seen by a sibling", "FROM scratch AS other\nARG V=own\nFROM scratch\nRUN x\n", {}, "(none)"},
  };
  for (const auto& item : cases) {
    CAPTURE(item.what);
    Given given;
    given.build_args = item.build_args;
    CHECK(value_of(run_of(plan(item.text, given), 0).env, "V") == item.value);
  }
}

TEST_CASE("proxies reach RUN without ARG, outside keys and history") {
  Given given;
  given.build_args = {{"HTTP_PROXY", "http://proxy:3128"}, {"OTHER", "x"}};
  const auto made = plan("FROM scratch\nRUN x\n", given);
  CHECK(value_of(run_of(made, 0).env, "HTTP_PROXY") == "(none)");
  CHECK(value_of(run_of(made, 0).hidden_env, "HTTP_PROXY") == "http://proxy:3128");
  CHECK(value_of(run_of(made, 0).hidden_env, "OTHER") == "(none)");
  CHECK(history_of(made) == Texts{"RUN /bin/sh -c x # buildkit"});
}

TEST_CASE("WORKDIR chains") {
  const auto made = plan(
      "FROM scratch\nWORKDIR /a\nWORKDIR b\nWORKDIR ../c\nENV D=/d/\nWORKDIR $D\nWORKDIR e/./f\nRUN x\n");
  Texts made_directories;
  for (std::size_t i = 0; i + 1 < made.steps.size(); ++i) {
    made_directories.push_back(std::get<DirectoryPlan>(made.steps[i].work).path);
  }
  CHECK(made_directories == Texts{"/a", "/a/b", "/a/c", "/d", "/d/e/f"});
  CHECK(made.config.config.working_dir == "/d/e/f");
  CHECK(made.steps.back().directory == "/d/e/f");
  CHECK(plan("FROM scratch\nWORKDIR /\nRUN x\n").steps.size() == 1);
}

TEST_CASE("WORKDIR's directory belongs to USER") {
  const auto made = plan("FROM scratch\nWORKDIR /a\nUSER app\nWORKDIR /b\n");
  CHECK(made.steps[0].user.empty());
  CHECK(made.steps[1].user == "app");
}

TEST_CASE("CMD and ENTRYPOINT, and what an inherited CMD loses") {
  oci::ImageConfig base;
  base.config.cmd = {"base-cmd"};
  base.config.entrypoint = {"base-entry"};
  struct Case {
    const char* text;
    Texts entrypoint, cmd;
  };
  const Case cases[] = {
      {"", {"base-entry"}, {"base-cmd"}},
      {"CMD [\"a\"]\n", {"base-entry"}, {"a"}},
      {"CMD a b\n", {"base-entry"}, {"/bin/sh", "-c", "a b"}},
      {"ENTRYPOINT [\"e\"]\n", {"e"}, {}},
      {"ENTRYPOINT e x\n", {"/bin/sh", "-c", "e x"}, {}},
      {"ENTRYPOINT [\"e\"]\nCMD [\"a\"]\n", {"e"}, {"a"}},
      {"CMD [\"a\"]\nENTRYPOINT [\"e\"]\n", {"e"}, {"a"}},
      {"ENTRYPOINT []\n", {}, {}},
      {"SHELL [\"/bin/bash\", \"-ec\"]\nCMD a\n", {"base-entry"}, {"/bin/bash", "-ec", "a"}},
  };
  for (const auto& item : cases) {
    CAPTURE(item.text);
    Given given;
    given.images = {base};
    const auto made = plan(std::string("FROM img\n") + item.text, given);
    CHECK(made.config.config.entrypoint == item.entrypoint);
    CHECK(made.config.config.cmd == item.cmd);
  }
}

TEST_CASE("history texts, as other builders write them") {
  Given given;
  given.build_args = {{"B", "given"}};
  const auto made = plan(
      "FROM scratch AS other\nFROM scratch\n"
      "ENV A=\"1 2\" Z=$A\n"
      "ARG V=v W\n"
      "ARG B=b\n"
      "LABEL org.x=\"y z\" q=$V\n"
      "RUN echo $A\n"
      "RUN [\"/bin/x\", \"y\"]\n"
      "WORKDIR app\n"
      "COPY --chown=1:1 --chmod=755 a b ./\n"
      "COPY --from=0 --link x /y\n"
      "EXPOSE 443 80/udp\n"
      "USER app\n"
      "VOLUME /data /more\n"
      "STOPSIGNAL SIGINT\n"
      "SHELL [\"/bin/bash\", \"-c\"]\n"
      "HEALTHCHECK --interval=30s --retries=3 CMD curl x\n"
      "ONBUILD RUN later\n"
      "MAINTAINER me\n"
      "ENTRYPOINT [\"/e\", \"a \\\"b\\\"\"]\n"
      "CMD [\"x\", \"y\"]\n"
      "WORKDIR /\n",
      given);
  const Texts wanted{
      "ENV A=1 2 Z=",
      "ARG V=v W",
      "ARG B=given",
      "LABEL org.x=y z q=v",
      "RUN |3 V=v W= B=given /bin/sh -c echo $A # buildkit",
      "RUN |3 V=v W= B=given /bin/x y # buildkit",
      "WORKDIR /app",
      "COPY --chown=1:1 --chmod=755 a b ./ # buildkit",
      "COPY x /y # buildkit",
      "EXPOSE [443/tcp 80/udp]",
      "USER app",
      "VOLUME [/data /more]",
      "STOPSIGNAL SIGINT",
      "SHELL [/bin/bash -c]",
      "HEALTHCHECK {Test:[CMD-SHELL curl x] Interval:30s Timeout:0s StartPeriod:0s StartInterval:0s "
      "Retries:3}",
      "MAINTAINER me",
      "ENTRYPOINT [\"/e\" \"a \\\"b\\\"\"]",
      "CMD [\"x\" \"y\"]",
      "WORKDIR /",
  };
  CHECK(history_of(made) == wanted);
  for (const auto& item : made.history) {
    CAPTURE(item.created_by);
    CHECK(item.comment == "buildkit.dockerfile.v0");
    const bool layer = item.created_by.starts_with("RUN") || item.created_by.starts_with("COPY") ||
                       item.created_by == "WORKDIR /app";
    CHECK(item.step.has_value() == layer);
  }
}

TEST_CASE("EXPOSE, VOLUME, LABEL, STOPSIGNAL, USER, HEALTHCHECK reach the image") {
  const auto made = plan(
      "FROM scratch\nEXPOSE 80 8080-8082/udp\nVOLUME [\"/a\", \"/b\"]\nLABEL a=1\nLABEL a=2 b=3\nSTOPSIGNAL "
      "9\nUSER 1000:50\n"
      "HEALTHCHECK --interval=1m30s --timeout=3s --start-period=5s --start-interval=1s --retries=4 CMD "
      "[\"x\"]\n");
  const auto& settings = made.config.config;
  CHECK(settings.exposed_ports == std::set<std::string>{"80/tcp", "8080/udp", "8081/udp", "8082/udp"});
  CHECK(settings.volumes == std::set<std::string>{"/a", "/b"});
  CHECK(settings.labels == std::map<std::string, std::string>{{"a", "2"}, {"b", "3"}});
  CHECK(settings.stop_signal == "9");
  CHECK(settings.user == "1000:50");
  REQUIRE(settings.healthcheck);
  CHECK(settings.healthcheck->test == Texts{"CMD", "x"});
  CHECK(settings.healthcheck->interval == 90'000'000'000);
  CHECK(settings.healthcheck->timeout == 3'000'000'000);
  CHECK(settings.healthcheck->start_period == 5'000'000'000);
  CHECK(settings.healthcheck->start_interval == 1'000'000'000);
  CHECK(settings.healthcheck->retries == 4);
  CHECK(plan("FROM scratch\nHEALTHCHECK NONE\n").config.config.healthcheck->test == Texts{"NONE"});
}

TEST_CASE("SHELL changes what follows it") {
  const auto made = plan("FROM scratch\nRUN a\nSHELL [\"/bin/bash\", \"-c\"]\nRUN b\nRUN [\"c\"]\n");
  CHECK(run_of(made, 0).arguments == Texts{"/bin/sh", "-c", "a"});
  CHECK(run_of(made, 1).arguments == Texts{"/bin/bash", "-c", "b"});
  CHECK(run_of(made, 2).arguments == Texts{"c"});
}

TEST_CASE("ONBUILD: kept for children, run in them, once") {
  oci::ImageConfig base;
  base.config.on_build = {"RUN from-image", "COPY a /a"};
  Given given;
  given.images = {base};
  auto made = plan("FROM img\nRUN own\nONBUILD RUN mine\n", given);
  REQUIRE(made.steps.size() == 3);
  CHECK(run_of(made, 0).arguments.back() == "from-image");
  CHECK(copy_of(made, 1).destination == "/a");
  CHECK(run_of(made, 2).arguments.back() == "own");
  CHECK(made.config.config.on_build == Texts{"RUN mine"});

  made = plan("FROM scratch AS base\nONBUILD RUN triggered\nFROM base\nRUN own\n");
  REQUIRE(made.steps.size() == 2);
  CHECK(run_of(made, 0).arguments.back() == "triggered");
  CHECK(made.config.config.on_build.empty());
}

TEST_CASE("heredocs of RUN and COPY") {
  const auto made = plan(
      "FROM scratch\nENV N=world\nRUN <<EOF\necho a\necho b\nEOF\nRUN <<EOF\n#!/bin/python\nprint(1)\nEOF\n"
      "COPY <<one <<\"two\" /etc/\nhello $N\none\nhello $N\ntwo\n");
  CHECK(run_of(made, 0).arguments == Texts{"/bin/sh", "-c", "echo a\necho b\n"});
  CHECK_FALSE(run_of(made, 0).script);
  REQUIRE(run_of(made, 1).script);
  CHECK(run_of(made, 1).script->content == "#!/bin/python\nprint(1)\n");
  CHECK(run_of(made, 1).arguments.back() == run_of(made, 1).script_path);
  const auto& files = copy_of(made, 2).transfer.files;
  REQUIRE(files.size() == 2);
  CHECK(files[0].content == "hello world\n");
  CHECK(files[1].content == "hello $N\n");
  CHECK(copy_of(made, 2).into_directory);
}

TEST_CASE("mounts of RUN and where they come from") {
  const auto made = plan(
      "FROM scratch AS tools\nFROM scratch\nARG DIR=/src\n"
      "RUN --mount=type=bind,target=$DIR --mount=type=bind,from=tools,source=/bin,target=/t "
      "--mount=type=cache,target=/c,id=npm,sharing=locked --mount=type=cache,from=img,target=/d "
      "--mount=type=secret,id=s,required=true --mount=type=tmpfs,target=/tmp --network=none x\n");
  const auto& mounts = run_of(made, 0).mounts;
  REQUIRE(mounts.size() == 6);
  using Kind = FileSource::Kind;
  CHECK(mounts[0].has_source);
  CHECK(mounts[0].source.kind == Kind::context);
  CHECK(mounts[0].mount.target == "/src");
  CHECK(mounts[1].source.kind == Kind::stage);
  CHECK(mounts[1].source.stage == 0);
  CHECK(mounts[1].mount.source == "/bin");
  CHECK_FALSE(mounts[2].has_source);
  CHECK(mounts[2].mount.sharing == df::Mount::Sharing::locked);
  CHECK(mounts[3].source.kind == Kind::image);
  CHECK(mounts[3].source.name == "img");
  CHECK_FALSE(mounts[4].has_source);
  CHECK(mounts[4].mount.required);
  CHECK_FALSE(mounts[5].has_source);
  CHECK(run_of(made, 0).network == df::NetworkMode::none);
}

TEST_CASE("COPY: destinations and sources") {
  struct Case {
    const char* text;
    const char* destination;
    bool into_directory;
  };
  const Case cases[] = {
      {"COPY a b", "/w/b", false}, {"COPY a b/", "/w/b", true},  {"COPY a .", "/w", true},
      {"COPY a ./", "/w", true},   {"COPY a ..", "/", true},     {"COPY a /x", "/x", false},
      {"COPY a b /x", "/x", true}, {"COPY a ../x", "/x", false}, {"COPY [\"a b\", \"/c d\"]", "/c d", false},
  };
  for (const auto& item : cases) {
    CAPTURE(item.text);
    const auto made = plan(std::string("FROM scratch\nWORKDIR /w\n") + item.text + "\n");
    CHECK(copy_of(made, 1).destination == item.destination);
    CHECK(copy_of(made, 1).into_directory == item.into_directory);
  }
  const auto made = plan(
      "FROM scratch AS s\nFROM scratch\nCOPY --from=s a /a\nCOPY --from=0 a /a\nCOPY --from=img:1 a /a\nCOPY "
      "a /a\n");
  CHECK(copy_of(made, 0).source.kind == FileSource::Kind::stage);
  CHECK(copy_of(made, 1).source.kind == FileSource::Kind::stage);
  CHECK(copy_of(made, 2).source.kind == FileSource::Kind::image);
  CHECK(copy_of(made, 2).source.name == "img:1");
  CHECK(copy_of(made, 3).source.kind == FileSource::Kind::context);
}

TEST_CASE("a stage on a stage goes on from its settings") {
  const auto made =
      plan("FROM scratch AS base\nENV A=1\nWORKDIR /w\nUSER u\nLABEL l=1\nFROM base AS next\nRUN x\n");
  CHECK(made.name == "next");
  CHECK(made.steps[0].directory == "/w");
  CHECK(made.steps[0].user == "u");
  CHECK(value_of(run_of(made, 0).env, "A") == "1");
  CHECK(made.config.config.labels.at("l") == "1");
  CHECK(plan("FROM scratch\nFROM scratch\n").name == "stage-1");
}

TEST_CASE("the platform of the leg is the platform of the image") {
  Given given;
  given.platform = {"linux", "arm64", "", ""};
  oci::ImageConfig base;
  base.platform = {"linux", "amd64", "", ""};
  given.images = {base};
  CHECK(plan("FROM img\n", given).config.platform.to_string() == "linux/arm64");
}

TEST_CASE("PATH of the image is kept") {
  oci::ImageConfig base;
  base.config.env = {"PATH=/own", "A=1"};
  Given given;
  given.images = {base};
  CHECK(plan("FROM img\n", given).config.config.env == Texts{"PATH=/own", "A=1"});
}

TEST_CASE("places of steps and wrong expansions") {
  const auto made = plan("FROM scratch\n\nRUN a\nCOPY b \\\n  /c\n");
  CHECK(made.steps[0].place.line == 3);
  CHECK(made.steps[1].place.line == 4);
  const auto wrong = plan_all("FROM scratch\nENV A=\"${B:?must be set}\"\n");
  REQUIRE(parser::has_errors(wrong[0].diagnostics));
  CHECK(wrong[0].diagnostics[0].range.start.line == 2);
  CHECK(wrong[0].diagnostics[0].message.find("must be set") != std::string::npos);
}
