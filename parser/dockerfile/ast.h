#pragma once
// The first reading of a Dockerfile: text to instructions with flags, words and heredocs, as written.
// Knows no instruction's meaning (instructions.h does), expands nothing, opens no file. Pure; thread-safe.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "parser/diagnostics/diagnostic.h"

namespace drydock::parser::dockerfile {

struct Heredoc {
  std::string name;
  unsigned file_descriptor = 0;
  bool expand = false;   // the word after << is not quoted
  bool chomp = false;    // <<- : leading tabs are dropped when the content is used
  std::string content;   // as in the file, each line with its end
};

/// `# name=value` in the first lines: syntax, escape, check.
struct Directive {
  std::string name;
  std::string value;
  int line = 0;
};

enum class ArgumentForm { words, json };

struct Node {
  std::string keyword;                  // as written
  std::vector<std::string> flags;       // "--name=value", quotes and escapes removed
  std::vector<std::string> arguments;   // ENV and LABEL: triples name, value, "=" (or "" in the old form)
  ArgumentForm form = ArgumentForm::words;
  std::vector<Node> trigger;            // ONBUILD's instruction: none or one
  std::vector<Heredoc> heredocs;
  std::string original;                 // one logical line, continuations joined
  int start_line = 0;
  int end_line = 0;                     // heredocs included
  std::vector<std::string> comments;    // comment lines directly above, without '#'
};

struct Ast {
  std::string file;
  std::string source;
  char escape = '\\';
  std::vector<Directive> directives;
  std::vector<Node> nodes;
  std::vector<int> empty_continuations;  // last lines of instructions with an empty line inside
  std::vector<std::size_t> line_starts;  // offset of each line in `source`

  /// Value of a directive, empty when absent. The value of `syntax` is cut at its first blank.
  std::string directive(std::string_view name) const;
  /// Place of `fragment` within the node's lines, or of its keyword when the fragment cannot be found.
  Range place_of(const Node& node, std::string_view fragment = {}) const;
  /// From the keyword to the end of the last line.
  Range extent_of(const Node& node) const;
  /// A line without its end; empty when there is none of that number.
  std::string_view line(int number) const;
};

struct ParsedAst {
  Ast ast;
  Diagnostics diagnostics;
};

/// Reads a whole Dockerfile. A wrong instruction is reported and left out; reading goes on after it.
ParsedAst parse_ast(std::string_view text, std::string file);

/// S-expressions, one instruction a line, byte for byte as BuildKit's dumper prints them, final newline included.
std::string dump_ast(const Ast& ast);

/// The heredoc that a shell word starts (`<<EOF`, `3<<-"EOF"`); a name is present only when it is one.
Heredoc parse_heredoc_word(std::string_view word);

/// Content without the leading tabs of each line.
std::string chomp_tabs(std::string_view content);

}  // namespace drydock::parser::dockerfile
