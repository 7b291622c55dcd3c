// Reads {"name", "text"} a line and prints the editor's template JSON of each: our side of differential.mjs.

#include "parser/workflow/template_json.h"

#include <nlohmann/json.hpp>

#include <iostream>
#include <string>

int main() {
  using namespace drydock::parser::workflow;
  const auto options = template_options({{"skip", {"C#", "Go"}}});
  for (std::string line; std::getline(std::cin, line);) {
    const auto request = nlohmann::json::parse(line);
    const auto text = request["text"].get<std::string>();
    std::cout << template_json(text, request["name"], {}, options).dump() << "\n";
  }
}
