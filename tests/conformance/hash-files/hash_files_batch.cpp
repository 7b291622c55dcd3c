// Reads {"workspace", "home", "patterns"} a line and prints {"hash"} or {"error"}: our side of differential.mjs.

#include <iostream>
#include <string>
#include <vector>

#include "executors/base/json.h"
#include "executors/step/hash_files.h"

int main() {
  using namespace drydock;
  for (std::string line; std::getline(std::cin, line);) {
    const auto request = OrderedJson::parse(line);
    const auto patterns = request["patterns"].get<std::vector<std::string>>();
    const auto hash = step::hash_files(patterns, {.workspace = request["workspace"], .home = request["home"]});
    const OrderedJson answer = hash.ok() ? OrderedJson{{"hash", *hash}} : OrderedJson{{"error", hash.error().to_string()}};
    std::cout << answer.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) << "\n";
  }
}
