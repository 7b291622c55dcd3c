// Reads a case a line, runs the native form of docker/metadata-action, and prints its outputs or error a line.

#include <iostream>

#include <nlohmann/json.hpp>

#include "executors/actions/native_forms.h"
#include "executors/base/masker.h"

using namespace drydock;

namespace {

nlohmann::json run_case(const nlohmann::json& given, const std::string& temp) {
  actions::ActionServices services;
  services.now = [now = given.at("now").get<std::int64_t>()] { return Time(std::chrono::milliseconds(now)); };
  Bus bus(std::make_shared<Masker>());
  step::ActionSetup setup{.uses = "docker/metadata-action@v6", .bus = &bus};
  for (const auto& [name, value] : given.at("inputs").items()) setup.inputs[name] = value;
  for (const auto& [name, value] : given.at("environment").items()) setup.environment[name] = value;
  setup.github = {{"event_name", given.at("event")}, {"ref", given.at("ref")}, {"sha", given.at("sha")}, {"repository", "Org/app"},
                  {"server_url", "https://example.org"}, {"event", given.at("payload")}};
  setup.places.temp = temp;
  step::ActionContext context(std::move(setup));
  const auto status = actions::make_metadata(services)->main(context);
  if (!status.ok()) return {{"error", status.error().to_string()}};
  nlohmann::json variables = nlohmann::json::object();
  for (const auto& [name, value] : context.effects().environment) variables[name] = value;
  return {{"outputs", context.effects().outputs}, {"variables", variables}};
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << run_case(nlohmann::json::parse(line), arguments[1]).dump() << "\n";
  }
}
