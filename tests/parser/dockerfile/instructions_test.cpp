#include "parser/dockerfile/instructions.h"

#include "tests/support/catch.h"

using namespace drydock::parser;
using namespace drydock::parser::dockerfile;

namespace {

Dockerfile parsed_file(std::string_view text) {
  auto result = parse_dockerfile(text, "Dockerfile");
  for (const auto& d : result.diagnostics) UNSCOPED_INFO(format_line(d));
  REQUIRE(result.diagnostics.empty());
  return result.dockerfile;
}

template <class T>
T first(const std::string& line) {
  const auto file = parsed_file("FROM x\n" + line + "\n");
  REQUIRE(file.stages[0].commands.size() == 1);
  return std::get<T>(file.stages[0].commands[0].body);
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("stages, global arguments and sources", "[dockerfile]") {
  const auto file = parsed_file("ARG V=1 W\n# build makes it\nFROM --platform=$BUILDPLATFORM x:$V AS Build\nRUN a \\\n b\n"
                           "FROM scratch\nCOPY --from=build /a /b\n");
  REQUIRE(file.global_args.size() == 1);
  const auto& arg = std::get<Arg>(file.global_args[0].body);
  CHECK(arg.definitions[0].value == "1");
  CHECK_FALSE(arg.definitions[1].value.has_value());
  REQUIRE(file.stages.size() == 2);
  CHECK(file.stages[0].base_name == "x:$V");
  CHECK(file.stages[0].name == "build");
  CHECK(file.stages[0].platform == "$BUILDPLATFORM");
  CHECK(file.stages[0].description == "makes it");
  CHECK(file.stages[0].commands[0].source == "RUN a  b");
  CHECK(file.stages[0].commands[0].range.start.line == 4);
  CHECK(file.stages[0].commands[0].range.end.line == 5);
  CHECK(file.find_stage("BUILD") == 0);
  CHECK_FALSE(file.find_stage("").has_value());
  CHECK(std::get<Copy>(file.stages[1].commands[0].body).from == "build");
}

TEST_CASE("COPY and ADD", "[dockerfile]") {
  const auto copy = first<Copy>("COPY --link --parents --chmod=755 --exclude=*.o --exclude=b a c d/");
  CHECK(copy.link);
  CHECK(copy.parents);
  CHECK(copy.chmod == "755");
  CHECK(copy.exclude == Words{"*.o", "b"});
  CHECK(copy.sources == Words{"a", "c"});
  CHECK(copy.destination == "d/");
  const auto add = first<Add>("ADD --keep-git-dir=false --unpack --checksum=sha256:1 http://x y");
  CHECK(add.keep_git_dir == false);
  CHECK(add.unpack == true);
  CHECK(add.checksum == "sha256:1");
  const auto heredoc = first<Copy>("COPY a <<-EOF <<'RAW' /d/\n\t$x\nEOF\n$y\nRAW");
  CHECK(heredoc.sources == Words{"a"});
  REQUIRE(heredoc.files.size() == 2);
  CHECK(heredoc.files[0].content == "$x\n");
  CHECK(heredoc.files[0].expand);
  CHECK(heredoc.files[1].content == "$y\n");
  CHECK_FALSE(heredoc.files[1].expand);
}

TEST_CASE("RUN and what it starts", "[dockerfile]") {
  const Words shell{"/bin/sh", "-c"};
  CHECK(invocation_of(first<Run>("RUN a b"), shell).arguments == Words{"/bin/sh", "-c", "a b"});
  CHECK(invocation_of(first<Run>("RUN [\"a\", \"b c\"]"), shell).arguments == Words{"a", "b c"});
  CHECK(invocation_of(first<Run>("RUN <<E\na\nb\nE"), shell).arguments == Words{"/bin/sh", "-c", "a\nb\n"});
  CHECK(invocation_of(first<Run>("RUN cat <<E > f\na\nE"), shell).arguments ==
        Words{"/bin/sh", "-c", "cat <<E > f\na\nE"});
  const auto script = invocation_of(first<Run>("RUN <<E\n#!/usr/bin/python3\nx\nE"), shell);
  CHECK(script.arguments == Words{"/dev/pipes/E"});
  REQUIRE(script.script.has_value());
  CHECK(script.script->content == "#!/usr/bin/python3\nx\n");
  const auto run = first<Run>("RUN --network=none --security=insecure --mount=type=cache,target=/c,sharing=locked x");
  CHECK(run.network == NetworkMode::none);
  CHECK(run.security == SecurityMode::insecure);
  REQUIRE(run.mounts.size() == 1);
  CHECK(run.mounts[0].type == Mount::Type::cache);
  CHECK(run.mounts[0].sharing == Mount::Sharing::locked);
  CHECK_FALSE(run.mounts[0].read_only);
}

TEST_CASE("mounts", "[dockerfile]") {
  const auto parse = [](std::string_view text) { return parse_mount_unexpanded(text).mount; };
  CHECK(parse("target=/x").type == Mount::Type::bind);
  CHECK(parse("target=/x").read_only);
  CHECK_FALSE(parse("target=/x,rw").read_only);
  CHECK(parse("type=cache,dst=/x,ro").read_only);
  CHECK(parse("type=tmpfs,target=/x,size=1.5m").size_limit == 1572864);
  CHECK(parse("type=secret,id=a,required,mode=0440,uid=5").mode == 0440u);
  CHECK(parse("type=secret,id=a,env=TOKEN").env == "TOKEN");
  CHECK(parse("type=ssh,required=true").required);
  const auto wrong = GENERATE("type=bnid,target=/x", "targte=/x", "target", "type=secret", "type=bind,uid=1",
                              "type=tmpfs,sharing=shared", "size=1,target=/x", "type=secret,id=a,from=b",
                              "type=secret,id=a,src=b", "from=$x", "type=tmpfs,size=big", "type=cache,uid=x",
                              "target=/x,rw=maybe");
  INFO(wrong);
  CHECK_FALSE(parse_mount_unexpanded(wrong).ok());
}

TEST_CASE("HEALTHCHECK", "[dockerfile]") {
  using namespace std::chrono_literals;
  const auto check =
      first<Healthcheck>("HEALTHCHECK --interval=1m30s --timeout=1.5s --start-period=0 --retries=4 CMD a b");
  CHECK(check.test == Words{"CMD-SHELL", "a b"});
  CHECK(check.interval == 90s);
  CHECK(check.timeout == 1500ms);
  CHECK(check.retries == 4);
  CHECK(first<Healthcheck>("HEALTHCHECK CMD [\"a\", \"b\"]").test == Words{"CMD", "a", "b"});
  CHECK(first<Healthcheck>("HEALTHCHECK none").test == Words{"NONE"});
}

TEST_CASE("the other instructions", "[dockerfile]") {
  CHECK(first<Env>("ENV a b c").pairs[0].legacy);
  CHECK(first<Env>("ENV a=1 b=2").pairs[1].value == "2");
  CHECK(first<Expose>("EXPOSE 90 80/udp").ports == Words{"80/udp", "90"});
  CHECK(first<Volume>("VOLUME [\"/a b\", \"/c\"]").paths == Words{"/a b", "/c"});
  CHECK(first<Shell>("SHELL [\"/bin/bash\", \"-c\"]").words == Words{"/bin/bash", "-c"});
  CHECK(first<Onbuild>("ONBUILD  COPY <<A /x\ny\nA").expression == "COPY <<A /x\ny\nA");
  CHECK(first<Workdir>("WORKDIR /a b").path == "/a b");
  CHECK(with_shell(first<Cmd>("CMD x y").line, {"sh", "-c"}) == Words{"sh", "-c", "x y"});
  const auto trigger = parse_trigger("COPY <<A /x\ny\nA", "F", {{3, 1}, {3, 9}});
  REQUIRE(trigger.command.has_value());
  CHECK(std::get<Copy>(trigger.command->body).files.at(0).content == "y\n");
  CHECK(trigger.command->range.start.line == 3);
  CHECK_FALSE(parse_trigger("RUN a\nRUN b", "F", {}).command.has_value());
}

TEST_CASE("wrong instructions name their place and mend", "[dockerfile]") {
  struct Case {
    std::string line;
    int column;
    std::string message;
    std::string mend;
  };
  const auto test = GENERATE(values<Case>({
      {"RUM x", 1, "unknown instruction RUM", "did you mean RUN?"},
      {"copyy a b", 1, "unknown instruction copyy", "did you mean copy?"},
      {"COPY a", 6, "only \"a\"", "destination"},
      {"COPY --form=a b c", 6, "no flag --form", "did you mean --from?"},
      {"COPY --from=$x b c", 6, "takes no variables", "FROM"},
      {"COPY --link=maybe b c", 6, "true or false", ""},
      {"COPY --chown=a --chown=b c d", 6, "twice", ""},
      {"RUN --device=x y", 5, "RUN --device is not supported", ""},
      {"RUN --network=lan y", 5, "invalid network mode", "host"},
      {"RUN --mount=type=cahce,target=/x y", 13, "unsupported mount type", "did you mean cache?"},
      {"WORKDIR", 1, "exactly one argument", ""},
      {"SHELL bash", 7, "JSON", ""},
      {"ONBUILD FROM x", 9, "cannot be a trigger", ""},
      {"ONBUILD RUM x", 9, "unknown instruction", "RUN"},
      {"HEALTHCHECK --interval=fast CMD x", 13, "no duration", ""},
      {"HEALTHCHECK --retries=-1 CMD x", 13, "retries", ""},
      {"FROM a b", 8, "AS and a name", ""},
      {"FROM a AS 1x", 11, "invalid stage name", ""},
      {"EXPOSE", 1, "at least one argument", ""},
  }));
  INFO(test.line);
  const auto result = parse_dockerfile("FROM x\n" + test.line + "\nUSER y\n", "F");
  REQUIRE(result.diagnostics.size() == 1);
  const auto& diagnostic = result.diagnostics[0];
  INFO(diagnostic.message << " | " << diagnostic.mend);
  CHECK(diagnostic.range.start.line == 2);
  CHECK(diagnostic.range.start.column == test.column);
  CHECK(diagnostic.message.find(test.message) != std::string::npos);
  CHECK(diagnostic.mend.find(test.mend) != std::string::npos);
  CHECK(result.dockerfile.stages.back().commands.back().name == "USER");
}

TEST_CASE("every wrong line is reported", "[dockerfile]") {
  const auto result = parse_dockerfile("RUN early\nFROM x\nRUM y\nCOPY z\n", "F");
  REQUIRE(result.diagnostics.size() == 3);
  CHECK(result.diagnostics[0].message.find("before the first FROM") != std::string::npos);
  CHECK_FALSE(parse_dockerfile("ARG a\n", "F").ok());
}
