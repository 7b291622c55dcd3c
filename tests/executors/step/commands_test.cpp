#include "executors/step/file_commands.h"
#include "executors/step/workflow_command.h"

#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::step;

namespace {

std::string shown(const Result<KeyValues>& parsed) {
  if (!parsed) return "error: " + parsed.error().message;
  std::string out;
  for (const auto& [name, value] : *parsed) out += "[" + name + "|" + value + "]";
  return out;
}

std::string shown(const std::optional<WorkflowCommand>& command) {
  if (!command) return "-";
  std::string out = command->name;
  for (const auto& [key, value] : command->properties) out += " " + key + "=" + value;
  return out + "|" + command->data;
}

}  // namespace

TEST_CASE("key and value files") {
  struct Row {
    const char *text, *expected;
  };
  const Row rows[] = {
      {"", ""},
      {"a=b", "[a|b]"},
      {"a=b\nc=d\n", "[a|b][c|d]"},
      {"\n\na=b\n\n", "[a|b]"},
      {"a=b=c", "[a|b=c]"},
      {"a=", "[a|]"},
      {" a = b ", "[ a | b ]"},
      {"a=b<<c", "[a|b<<c]"},
      {"a<<EOF\nb\nEOF\n", "[a|b]"},
      {"a<<EOF\nb\n\nc\nEOF", "[a|b\n\nc]"},
      {"a<<EOF\nEOF\nd=e", "[a|][d|e]"},
      {"a<<EOF\nb=c<<d\nEOF\n", "[a|b=c<<d]"},
      {"a<<=\nb\n=\n", "[a|b]"},
      {"a<<EOF\r\nb\r\nEOF\r\n", "[a|b\r]"},
      {"=x", "error: Invalid format '=x'. Name must not be empty"},
      {"plain", "error: Invalid format 'plain'"},
      {"<<EOF\n", "error: Invalid format '<<EOF'. Name must not be empty and delimiter must not be empty"},
      {"a<<\n", "error: Invalid format 'a<<'. Name must not be empty and delimiter must not be empty"},
      {"a<<EOF\nb\n", "error: Invalid value. Matching delimiter not found 'EOF'"},
      {"a<<EOF\nb", "error: Invalid value. EOF marker missing new line."},
  };
  for (const auto& row : rows) {
    INFO(row.text);
    CHECK(shown(parse_key_values(row.text)) == row.expected);
  }
  CHECK(parse_path_file("/a\n\n/b") == std::vector<std::string>{"/a", "/b"});
}

TEST_CASE("printed commands") {
  struct Row {
    const char *line, *expected;
  };
  const Row rows[] = {
      {"::error::bad", "error|bad"},
      {"  ::warning file=a.c,line=3,col=5::w", "warning col=5 file=a.c line=3|w"},
      {"::Error::x", "error|x"},
      {"::error file=a%2Cb%3Ac,title=100%25::1%0A2%250A", "error file=a,b:c title=100%|1\n2%0A"},
      {"::set-output name=a::b::c", "set-output name=a|b::c"},
      {"::error line=::x", "error line=|x"},
      {"text ::error::x", "-"},
      {"::unknown::x", "-"},
      {"::error", "-"},
      {"##[group]name", "group|name"},
      {"at ##[error file=x;line=2]bad%5D", "error file=x line=2|bad]"},
      {"##[section]x", "-"},
  };
  for (const auto& row : rows) {
    INFO(row.line);
    CHECK(shown(parse_workflow_command(row.line, is_known_command)) == row.expected);
  }
}
