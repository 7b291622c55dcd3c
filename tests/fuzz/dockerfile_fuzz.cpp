// Any text as a Dockerfile: read, dumped, its stages ordered, its variables put in, checked.

#include "parser/dockerfile/checks.h"
#include "parser/dockerfile/expand.h"
#include "parser/dockerfile/stage_graph.h"

#include <cstdint>
#include <string_view>

namespace {

using namespace drydock::parser::dockerfile;

void expand_all(const Dockerfile& file) {
  const PlatformFacts platform{"linux/arm/v7", "linux", "arm", "v7", ""};
  const Variables given{{"A", "1"}, {"B", "$A"}, {"EMPTY", ""}};
  const auto globals = global_scope(file, automatic_args(platform, platform, "", given), given);
  // Each wide range of EXPOSE becomes 65,536 words, as is meant; a file full of them would only take long.
  int exposes = 0;
  GraphRequest request;
  for (const auto& stage : file.stages) {
    request.base_names.push_back(resolve_base(file, stage, globals).base_name);
    for (const auto& command : stage.commands) {
      if (std::holds_alternative<Expose>(command.body) && ++exposes > 4) continue;
      const auto env = lookup_in(given);
      if (std::holds_alternative<Arg>(command.body)) bind_args(file, command, env, globals, given);
      expand(file, command, env);
      progress_text(file, command, env);
    }
  }
  build_stage_graph(file, request);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = parse_dockerfile(text, "Dockerfile");
  dump_ast(parsed.dockerfile.ast);
  if (!parsed.ok()) return 0;
  expand_all(parsed.dockerfile);
  run_checks(parsed.dockerfile, {});
  return 0;
}
