// The services of a run and the native actions that use them, driven line by line: a JSON request on each line of the
// input, a JSON answer on each line of the output.
//   {"op":"start","run":"100","resumed":""}                 ends the services that ran, starts those of the run
//   {"op":"environment","job":"a","ref":"refs/heads/main","permissions":{}}
//   {"op":"action","uses":"actions/cache@v4","phase":"main","inputs":{},"environment":{},"workspace":"…","temp":"…","state":{}}

#include <filesystem>
#include <iostream>

#include "executors/actions/register.h"
#include "executors/base/masker.h"
#include "runner/services/run_services.h"

using namespace drydock;

namespace {

class Batch {
 public:
  explicit Batch(std::string root) : root_(std::move(root)) { actions::register_native_actions(actions_, {}); }

  Json answer(const Json& request) {
    const auto op = request.at("op").get<std::string>();
    if (op == "start") return start(request);
    if (op == "environment") return environment(request);
    return action(request);
  }

 private:
  Json start(const Json& request) {
    services_.reset();
    run_ = request.at("run");
    auto started = runner::RunServices::start({.store_root = root_, .run = run_, .resumed = request.value("resumed", ""), .limits = {}});
    if (!started) return {{"error", started.error().to_string()}};
    services_ = std::move(*started);
    return {{"url", services_->base_url()}};
  }

  Json environment(const Json& request) {
    runner::JobFacts facts;
    facts.run = run_;
    facts.key = request.at("job");
    facts.workflow = "w.yml";
    facts.github = {{"repository", "o/r"}, {"repository_owner", "o"}, {"ref", request.at("ref")}, {"event_name", "push"}, {"run_id", run_},
                    {"sha", "abc"}, {"event", {{"repository", {{"default_branch", "main"}}}}}};
    facts.permissions = request.value("permissions", std::map<std::string, std::string>());
    return services_->environment_for(facts);
  }

  Json action(const Json& request) {
    std::string log;
    Bus bus(std::make_shared<Masker>());
    bus.listen([&](const Event& event) { log += event.text + "\n"; });
    step::ActionSetup setup{.job = "job", .step = "1", .uses = request.at("uses"), .bus = &bus};
    const auto* action = actions_.find(*step::parse_action_reference(setup.uses));
    for (const auto& declared : action->inputs()) {
      if (!declared.default_value.starts_with("${{")) setup.inputs[declared.name] = declared.default_value;
    }
    for (const auto& [name, value] : request.at("inputs").items()) setup.inputs[name] = value;
    for (const auto& [name, value] : request.at("environment").items()) setup.environment[name] = value;
    setup.state = request.value("state", std::map<std::string, std::string>());
    setup.github = {{"server_url", "https://github.com"}, {"repository", "o/r"}, {"run_id", run_}};
    setup.places.workspace = request.at("workspace");
    setup.places.temp = request.at("temp");
    step::ActionContext context(std::move(setup));
    const auto status = request.value("phase", "main") == "post" ? action->post(context) : action->main(context);
    return {{"ok", status.ok()}, {"error", status.ok() ? "" : Status(status).error().to_string()}, {"log", log},
            {"outputs", context.effects().outputs}, {"state", context.effects().state}};
  }

  std::string root_, run_;
  step::NativeActions actions_;
  std::unique_ptr<runner::RunServices> services_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  Batch batch(arguments[1]);
  for (std::string line; std::getline(std::cin, line);) std::cout << dump_json(batch.answer(Json::parse(line))) << std::endl;
}
