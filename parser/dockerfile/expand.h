#pragma once
// Variables: what each command expands, and the scopes they come from (automatic platform ARGs, global ARGs,
// stage ARGs and ENV). The caller keeps the environment of a stage; everything here is a pure function.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parser/dockerfile/instructions.h"
#include "parser/dockerfile/words.h"

namespace drydock::parser::dockerfile {

/// What the platform ARGs are made from. Plain text: this layer knows no platform rules.
struct PlatformFacts {
  std::string text;  // "linux/arm/v7"
  std::string os, architecture, variant, os_version;
};

/// BUILDPLATFORM, BUILDOS, BUILDARCH, BUILDVARIANT, BUILDOSVERSION, the TARGET… ones, TARGETSTAGE; a build
/// argument of the same name wins. `target` is the stage asked for ("default" when empty).
Variables automatic_args(const PlatformFacts& build, const PlatformFacts& target_platform, std::string_view target,
                         const Variables& build_args);

struct Scope {
  Variables values;         // automatic and global ARGs that have a value
  VariableNames declared;   // every global ARG, with a value or without
  Diagnostics diagnostics;
};

/// Global ARGs in order, each default expanded by those before it; build arguments win over defaults.
Scope global_scope(const Dockerfile& dockerfile, const Variables& automatic, const Variables& build_args);

struct ResolvedBase {
  std::string base_name;
  std::string platform;       // empty when the stage has no --platform
  VariableNames used;         // variables the two texts take
  VariableNames unmatched;    // and those that are not set
  Diagnostics diagnostics;
};

/// FROM's base and platform, expanded from the global scope only.
ResolvedBase resolve_base(const Dockerfile& dockerfile, const Stage& stage, const Scope& globals);

struct ExpandedCommand {
  Command command;
  VariableNames used;
  VariableNames unmatched;   // taken as empty
  Diagnostics diagnostics;
  bool ok() const { return !has_errors(diagnostics); }
};

/// Which fields of a command are expanded, by name ("path", "sources", "pairs", …); empty when none is.
std::vector<std::string_view> expanded_fields(const Command& command);

/// The command with its variables put in. RUN, CMD, ENTRYPOINT texts are left to the shell; RUN's mounts become
/// final; EXPOSE's ports are checked and unrolled. ARG is bound by bind_args() instead.
ExpandedCommand expand(const Dockerfile& dockerfile, const Command& command, const EnvLookup& env);

struct ArgBinding {
  std::string name;
  std::optional<std::string> value;  // nothing: declared without a value
};
struct BoundArgs {
  std::vector<ArgBinding> bindings;  // those with a value enter the environment of the stage
  VariableNames unmatched;
  Diagnostics diagnostics;
};

/// ARG in a stage: build argument, else own default (expanded), else the global ARG or automatic one of that name.
/// `env` must see the bindings of the earlier definitions; the function adds those of this very instruction.
BoundArgs bind_args(const Dockerfile& dockerfile, const Command& command, const EnvLookup& env,
                    const Scope& globals, const Variables& build_args);

/// HTTP_PROXY, HTTPS_PROXY, FTP_PROXY, NO_PROXY, ALL_PROXY in upper and lower case: build arguments that every RUN
/// gets without an ARG, outside history and cache keys.
bool is_proxy_arg(std::string_view name);
std::vector<std::pair<std::string, std::string>> proxy_environment(const Variables& build_args);

/// A command as progress shows it: keyword in upper case, known variables put in, a heredoc summarised.
std::string progress_text(const Dockerfile& dockerfile, const Command& command, const EnvLookup& env);

}  // namespace drydock::parser::dockerfile
