#include "executors/step/job_trail.h"

#include <array>
#include <stdexcept>

namespace drydock::step {
namespace {

constexpr std::array k_trail_outcomes{Outcome::none, Outcome::success, Outcome::failure, Outcome::cancelled, Outcome::skipped};
constexpr std::array k_outside{"none", "kept", "lost"};

Outcome kept_outcome(const OrderedJson& json) {
  const auto name = json.get<std::string>();
  for (const Outcome each : k_trail_outcomes) {
    if (name == name_of(each)) return each;
  }
  throw std::out_of_range("outcome '" + name + "' is not known");
}

/// The text itself, a list where secrets are named in it, null when it is withheld.
OrderedJson kept_json(const KeptText& text) {
  if (text.withheld) return nullptr;
  if (text.pieces.empty()) return "";
  if (text.pieces.size() == 1 && !text.pieces.front().is_secret) return text.pieces.front().text;
  OrderedJson out = OrderedJson::array();
  for (const auto& piece : text.pieces) out.push_back(piece.is_secret ? OrderedJson{{"secret", piece.text}} : OrderedJson(piece.text));
  return out;
}

KeptText kept_from(const OrderedJson& json) {
  KeptText text;
  if (json.is_null()) {
    text.withheld = true;
  } else if (json.is_string()) {
    text.pieces.push_back({json.get<std::string>()});
  } else {
    for (const auto& piece : json) {
      if (piece.is_string()) text.pieces.push_back({piece.get<std::string>()});
      else text.pieces.push_back({piece.at("secret").get<std::string>(), true});
    }
  }
  return text;
}

OrderedJson kept_json(const KeptTexts& texts) {
  OrderedJson out = OrderedJson::array();
  for (const auto& [name, text] : texts) out.push_back(OrderedJson::array({name, kept_json(text)}));
  return out;
}

KeptTexts kept_texts_from(const OrderedJson& json) {
  KeptTexts out;
  for (const auto& entry : json) out.emplace_back(entry.at(0).get<std::string>(), kept_from(entry.at(1)));
  return out;
}

OrderedJson use_json(const KeptUse& use) {
  OrderedJson nested = OrderedJson::array();
  for (const auto& each : use.nested) nested.push_back(use_json(each));
  return {{"state", kept_json(use.state)}, {"steps", kept_json(use.steps)}, {"posts", use.posts},
          {"post_registered", use.post_registered}, {"nested", std::move(nested)}};
}

KeptUse use_from(const OrderedJson& json) {
  KeptUse use;
  use.state = kept_texts_from(json.at("state"));
  use.steps = kept_from(json.at("steps"));
  json.at("posts").get_to(use.posts);
  json.at("post_registered").get_to(use.post_registered);
  for (const auto& each : json.at("nested")) use.nested.push_back(use_from(each));
  return use;
}

OrderedJson stage_json(const StageTrail& stage) {
  OrderedJson path = OrderedJson::array(), matchers = OrderedJson::array();
  for (const auto& directory : stage.path) path.push_back(kept_json(directory));
  for (const auto& change : stage.matchers) matchers.push_back({{"file", change.file}, {"text", change.text}});
  return {{"position", stage.position}, {"id", stage.id}, {"name", stage.name}, {"fingerprint", stage.fingerprint},
          {"waited_for", stage.waited_for}, {"outcome", name_of(stage.outcome)}, {"conclusion", name_of(stage.conclusion)},
          {"exit_code", stage.exit_code}, {"summary", stage.summary}, {"outputs", kept_json(stage.outputs)},
          {"environment", kept_json(stage.environment)}, {"path", std::move(path)}, {"matchers", std::move(matchers)},
          {"artifacts", kept_json(stage.artifacts)}, {"masks", stage.masks}, {"logs_in", stage.logs_in}, {"use", use_json(stage.use)}};
}

StageTrail stage_from(const OrderedJson& json) {
  StageTrail stage;
  json.at("position").get_to(stage.position);
  json.at("id").get_to(stage.id);
  json.at("name").get_to(stage.name);
  json.at("fingerprint").get_to(stage.fingerprint);
  json.at("waited_for").get_to(stage.waited_for);
  stage.outcome = kept_outcome(json.at("outcome"));
  stage.conclusion = kept_outcome(json.at("conclusion"));
  json.at("exit_code").get_to(stage.exit_code);
  json.at("summary").get_to(stage.summary);
  stage.outputs = kept_texts_from(json.at("outputs"));
  stage.environment = kept_texts_from(json.at("environment"));
  for (const auto& directory : json.at("path")) stage.path.push_back(kept_from(directory));
  for (const auto& change : json.at("matchers")) {
    stage.matchers.push_back({change.at("file").get<std::string>(), change.at("text").get<std::string>()});
  }
  stage.artifacts = kept_from(json.at("artifacts"));
  json.at("masks").get_to(stage.masks);
  json.at("logs_in").get_to(stage.logs_in);
  stage.use = use_from(json.at("use"));
  return stage;
}

}  // namespace

OrderedJson to_json(const JobTrail& trail) {
  OrderedJson stages = OrderedJson::array();
  for (const auto& stage : trail.stages) stages.push_back(stage_json(stage));
  return {{"workspace", trail.workspace}, {"isolation", trail.isolation},
          {"outside", k_outside[static_cast<std::size_t>(trail.outside)]}, {"stages", std::move(stages)}};
}

JobTrail job_trail_from(const OrderedJson& json) {
  JobTrail trail;
  json.at("workspace").get_to(trail.workspace);
  json.at("isolation").get_to(trail.isolation);
  const auto outside = json.at("outside").get<std::string>();
  trail.outside = outside == "none" ? OutsideChanges::none : outside == "kept" ? OutsideChanges::kept : OutsideChanges::lost;
  for (const auto& stage : json.at("stages")) trail.stages.push_back(stage_from(stage));
  return trail;
}

}  // namespace drydock::step
