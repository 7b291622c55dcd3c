#pragma once
// Runs one native form with given inputs and keeps what it did.

#include <memory>
#include <string>
#include <vector>

#include "executors/actions/native_forms.h"
#include "executors/base/fs.h"
#include "executors/base/masker.h"
#include "tests/support/catch.h"

namespace drydock::actions::test {

struct Setting {
  std::string uses;
  step::NoCaseMap<std::string> inputs;
  nlohmann::json github = nlohmann::json::object();
  Environment environment;
  step::JobPlaces places;
  step::RunnerInfo runner;
  std::map<std::string, std::string> state;
  build::BuildService* builder = nullptr;
};

struct Done {
  Status status;
  step::ActionEffects effects;
  std::string log;       // lines
  std::string messages;  // "warning: text\n"

  std::string output(const std::string& name) const {
    const auto found = effects.outputs.find(name);
    return found == effects.outputs.end() ? "(none)" : found->second;
  }
  bool said(const std::string& text) const { return (log + messages).find(text) != std::string::npos; }
  std::string error() const { return status.ok() ? "" : status.error().to_string(); }
};

enum class Phase { main, post };

inline Done run(const step::NativeAction& action, Setting setting, Phase phase = Phase::main) {
  Done done;
  Bus bus(std::make_shared<Masker>());
  bus.listen([&](const Event& event) {
    if (event.kind == EventKind::log) done.log += event.text;
    if (event.kind == EventKind::message) done.messages += std::string(name_of(event.level)) + ": " + event.text + "\n";
  });
  // Declared defaults, as the engine fills them in; expressions are left to each test.
  for (const auto& input : action.inputs()) {
    if (!input.default_value.starts_with("${{")) setting.inputs.emplace(input.name, input.default_value);
  }
  step::ActionContext context({.job = "job", .step = "1", .uses = setting.uses, .inputs = setting.inputs,
                               .environment = setting.environment, .github = setting.github, .state = setting.state,
                               .places = setting.places, .runner = setting.runner, .bus = &bus, .builder = setting.builder});
  done.status = phase == Phase::main ? action.main(context) : action.post(context);
  done.effects = context.effects();
  return done;
}

inline TempDir temporary() {
  auto made = TempDir::create();
  REQUIRE(made.ok());
  return std::move(made).value();
}

inline std::string text_of(const std::string& path) {
  const auto text = read_file(path);
  return text ? *text : "(no " + path + ")";
}

}  // namespace drydock::actions::test
