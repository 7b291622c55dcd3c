#pragma once
// Typed Dockerfile: stages and their commands, each with its place and source text. Variables are not expanded
// here, because the environment changes along a stage: expand.h does that for one command at a time.
// Pure values; thread-safe.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "parser/dockerfile/ast.h"
#include "parser/dockerfile/mount.h"

namespace drydock::parser::dockerfile {

struct KeyValue {
  std::string key;
  std::string value;
  bool legacy = false;  // "ENV key value"
};

struct ArgDefinition {
  std::string key;
  std::optional<std::string> value;
  std::string description;  // from a comment "# key text" above
};

/// Words of an exec form, or one text for the shell.
struct CommandLine {
  enum class Form { shell, exec };
  Form form = Form::shell;
  std::vector<std::string> words;
};

struct InlineFile {
  std::string name;
  std::string content;  // tabs dropped already for <<-
  bool expand = false;
};

struct Env { std::vector<KeyValue> pairs; };
struct Label { std::vector<KeyValue> pairs; };
struct Arg { std::vector<ArgDefinition> definitions; };
struct Workdir { std::string path; };
struct User { std::string user; };
struct Cmd { CommandLine line; };
struct Entrypoint { CommandLine line; };
struct Shell { std::vector<std::string> words; };
struct Expose { std::vector<std::string> ports; };  // sorted; after expand(): "80/tcp", ranges unrolled
struct Volume { std::vector<std::string> paths; };
struct StopSignal { std::string signal; };
struct Maintainer { std::string name; };
struct Onbuild { std::string expression; };  // heredocs included; see parse_trigger()

struct Healthcheck {
  std::vector<std::string> test;  // "NONE"; "CMD", words…; "CMD-SHELL", text
  std::chrono::nanoseconds interval{0}, timeout{0}, start_period{0}, start_interval{0};  // 0: inherit
  int retries = 0;
};

enum class NetworkMode { default_, none, host };
enum class SecurityMode { sandbox, insecure };

struct Run {
  CommandLine line;
  std::vector<Heredoc> heredocs;
  std::vector<std::string> mount_texts;  // as written
  std::vector<Mount> mounts;             // `from` is final; all else only after expand()
  NetworkMode network = NetworkMode::default_;
  SecurityMode security = SecurityMode::sandbox;
  bool network_given = false;            // --network was written
};

/// What COPY and ADD have in common.
struct Transfer {
  std::vector<std::string> sources;
  std::vector<InlineFile> files;   // heredocs among the sources
  std::string destination;
  std::string chown, chmod;
  bool link = false;
  std::vector<std::string> exclude;
};
struct Copy : Transfer {
  std::string from;      // stage name, stage number, image or named context; never a variable
  bool parents = false;
};
struct Add : Transfer {
  std::optional<bool> keep_git_dir;
  std::string checksum;
  std::optional<bool> unpack;
};

using Body = std::variant<Env, Label, Arg, Run, Copy, Add, Workdir, User, Cmd, Entrypoint, Shell, Expose, Volume,
                          StopSignal, Healthcheck, Onbuild, Maintainer>;

struct Command {
  std::string name;      // upper case
  std::string keyword;   // as written
  std::string source;    // one logical line, trimmed, as history and progress show it
  Range range;
  std::vector<std::string> comments;
  bool from_trigger = false;  // came out of an ONBUILD
  Body body;
};

struct Stage {
  std::string base_name;  // unexpanded text after FROM
  std::string name;       // lower case; empty when not named
  std::string platform;   // unexpanded text of --platform
  std::string keyword;    // FROM as written
  std::string as_keyword, written_name;
  std::string description;
  std::string source;
  Range range;
  std::vector<std::string> comments;
  std::vector<Command> commands;
};

struct Dockerfile {
  Ast ast;
  std::vector<Command> global_args;  // ARG before the first FROM
  std::vector<Stage> stages;

  /// Index of the stage of that name, the last one of several; case does not matter.
  std::optional<std::size_t> find_stage(std::string_view name) const;
};

struct ParsedDockerfile {
  Dockerfile dockerfile;
  Diagnostics diagnostics;
  bool ok() const { return !has_errors(diagnostics); }
};

/// Text to stages. Every wrong instruction is reported, with rule "syntax".
ParsedDockerfile parse_dockerfile(std::string_view text, std::string file);

struct ParsedTrigger {
  std::optional<Command> command;
  Diagnostics diagnostics;
};

/// The command of an ONBUILD expression (this Dockerfile's or an image's), placed at `place`.
ParsedTrigger parse_trigger(std::string_view expression, const std::string& file, Range place);

/// What a RUN starts: the arguments, and the script to show at `script_path` (mode 0755) when one is needed.
struct Invocation {
  std::vector<std::string> arguments;
  std::optional<InlineFile> script;
  std::string script_path;
};

/// Prepends the shell to a shell form and puts heredocs in their place.
Invocation invocation_of(const Run& run, const std::vector<std::string>& shell);

/// Shell form with the shell before it; exec form as it is.
std::vector<std::string> with_shell(const CommandLine& line, const std::vector<std::string>& shell);

}  // namespace drydock::parser::dockerfile
