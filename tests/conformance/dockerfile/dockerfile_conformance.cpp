// Compares the Dockerfile language with BuildKit's own test data and prints a score for each suite.
// Exit status: 0 all agree, 1 some do not, 77 the data is not there.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "parser/dockerfile/ast.h"
#include "parser/dockerfile/words.h"

namespace fs = std::filesystem;
using namespace drydock::parser;
using namespace drydock::parser::dockerfile;

namespace {

constexpr int k_skipped = 77;

std::string read(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

class Score {
 public:
  explicit Score(std::string suite) : suite_(std::move(suite)) {}
  void count(const std::string& name, const std::string& expected, const std::string& found) {
    ++total_;
    if (expected == found) {
      ++agree_;
    } else {
      std::cout << suite_ << ": " << name << "\n  expected: " << expected << "\n  found:    " << found << "\n";
    }
  }
  int finish() const {
    std::cout << suite_ << ": " << agree_ << " of " << total_ << " agree\n";
    return total_ > 0 && agree_ == total_ ? 0 : 1;
  }

 private:
  std::string suite_;
  int total_ = 0, agree_ = 0;
};

int parser_suite(const fs::path& data) {
  Score score("dockerfile-parser");
  const auto cases = nlohmann::json::parse(read(data / "derived" / "dockerfile-parser.cases.json"));
  for (const auto& test : cases) {
    const auto file = test.at("dockerfile").get<std::string>();
    const auto parsed = parse_ast(read(data / file), file);
    const auto found = has_errors(parsed.diagnostics) ? "error" : dump_ast(parsed.ast);
    const bool fails = test.at("expect") == "error";
    score.count(test.at("id"), fails ? "error" : read(data / test.at("result").get<std::string>()), found);
  }
  return score.finish();
}

// Lines "A|word | expected"; A holds everywhere, U on Unix, W on Windows (where names ignore case).
void single_words(const fs::path& file, Score& score) {
  const Variables variables{{"PWD", "/home"}, {"SHELL", "bash"}, {"KOREAN", "한국어"}, {"NULL", ""}};
  std::ifstream lines(file);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.empty() || line[0] == '#' || line[0] == 'W') continue;
    const auto bar = line.find('|'), second = line.find('|', bar + 1);
    const auto word = trimmed(line.substr(bar + 1, second - bar - 1));
    const auto expanded = expand_word(word, lookup_in(variables));
    score.count(std::to_string(number) + ": " + word, trimmed(line.substr(second + 1)),
                expanded.ok() ? expanded.text : "error");
  }
}

// Lines "text | word,word"; "ENV name=value" sets a variable for the lines below.
void word_lists(const fs::path& file, Score& score) {
  Variables variables;
  std::ifstream lines(file);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    if (line.starts_with("ENV ")) {
      const auto equals = line.find('=');
      variables[line.substr(4, equals - 4)] = line.substr(equals + 1);
      continue;
    }
    const auto bar = line.find('|');
    const auto text = trimmed(line.substr(0, bar));
    // Blanks at the end of an expected word count.
    const auto expected = line.substr(line.find_first_not_of(' ', bar + 1));
    const auto expanded = expand_word(text, lookup_in(variables));
    std::string found;
    for (const auto& word : expanded.words) found += (found.empty() ? "" : ",") + word;
    score.count(std::to_string(number) + ": " + text, expected, expanded.ok() ? found : "error");
  }
}

int shell_suite(const fs::path& data) {
  Score score("dockerfile-shell");
  single_words(data / "dockerfile-shell" / "envVarTest", score);
  word_lists(data / "dockerfile-shell" / "wordsTest", score);
  return score.finish();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string suite = argc > 1 ? argv[1] : "";
  const char* folder = std::getenv("DRYDOCK_CONFORMANCE");
  const fs::path data = folder != nullptr ? folder : "";
  if (suite != "parser" && suite != "shell") {
    std::cerr << "usage: conformance_dockerfile parser|shell\n";
    return 2;
  }
  if (!fs::exists(data / ("dockerfile-" + suite))) {
    std::cout << "dockerfile-" << suite << ": skipped, no data at DRYDOCK_CONFORMANCE=" << data << "\n";
    return k_skipped;
  }
  return suite == "parser" ? parser_suite(data) : shell_suite(data);
}
