#include "executors/step/go_on.h"

#include <algorithm>
#include <charconv>

#include "executors/oci/digest.h"
#include "executors/step/engine.h"
#include "executors/step/from_model.h"

namespace drydock::step {
namespace {

std::string plain_position(std::size_t index) { return std::to_string(index + 1); }

/// The step that a position belongs to: of "3.post" the third one, whose index is 2.
std::size_t index_of_position(const std::string& position) {
  std::size_t number = 0;
  std::from_chars(position.data(), position.data() + position.size(), number);
  return number == 0 ? 0 : number - 1;
}

const StageTrail* stage_at(const JobTrail& trail, const std::string& position) {
  const auto found = std::find_if(trail.stages.begin(), trail.stages.end(),
                                  [&](const StageTrail& stage) { return stage.position == position; });
  return found == trail.stages.end() ? nullptr : &*found;
}

std::string shown_name(const JobRequest& request, const JobTrail& known, std::size_t index) {
  if (const StageTrail* stage = stage_at(known, plain_position(index)); stage && !stage->name.empty()) return stage->name;
  return unevaluated_name(request.steps[index]);
}

std::string listed_steps(const JobRequest& request, const JobTrail& known) {
  std::string out;
  for (std::size_t i = 0; i < request.steps.size(); ++i) {
    out += (out.empty() ? "" : ", ") + plain_position(i) + " " + shown_name(request, known, i);
  }
  return out;
}

/// Texts of a step without their places.
class Fingerprint {
 public:
  void add(const std::string& text) { hash_.update(std::to_string(text.size()) + ":" + text); }
  void add(const Text& text) {
    add(std::to_string(static_cast<int>(text.kind)));
    add(text.text);
  }
  void add(const TextMap& map) {
    add(std::to_string(map.size()));
    for (const auto& [key, text] : map) {
      add(key);
      add(text);
    }
  }
  std::string finish() { return std::string(hash_.finish().short_hex()); }

 private:
  oci::Sha256 hash_;
};

class GoOnCheck {
 public:
  explicit GoOnCheck(const JobRequest& request) : request_(request), go_on_(*request.go_on) {}

  parser::Diagnostics run() {
    if (go_on_.trail.isolation != name_of(request_.runner.isolation)) {
      refuse(request_.place, "the steps of job '" + request_.key + "' ran in isolation '" + go_on_.trail.isolation + "' in run " + go_on_.run +
                                 ", and would go on in '" + std::string(name_of(request_.runner.isolation)) + "'",
             "--isolation " + go_on_.trail.isolation);
    } else if (!request_.container.empty() || request_.runner.isolation == Isolation::container) {
      refuse(request_.place, "the container of job '" + request_.key + "' ended with run " + go_on_.run + ", and what its steps changed in it with it",
             "run the whole job again");
    } else if (go_on_.trail.outside == OutsideChanges::lost) {
      refuse(request_.place, "what steps of job '" + request_.key + "' changed outside of its workspace ended with its sandbox",
             "run the whole job again; --keep-workspace keeps it where the store's file system can");
    }
    for (std::size_t i = 0; i < go_on_.first && found_.empty(); ++i) check(i);
    return std::move(found_);
  }

 private:
  void check(std::size_t index) {
    const StepRequest& step = request_.steps[index];
    const StageTrail* stage = stage_at(go_on_.trail, plain_position(index));
    const std::string what = "step " + plain_position(index) + " of job '" + request_.key + "'";
    const std::string mend = "begin with --from-step " + plain_position(index) + ", or before";
    if (!stage) return refuse(step.place, what + " did not run in run " + go_on_.run, mend);
    if (stage->fingerprint != fingerprint_of(step)) return refuse(step.place, what + " is not what it was in run " + go_on_.run, mend);
    if (stage->logs_in && !step.background) return;  // is run again
    if (stage->masks) {
      return refuse(step.place, what + " masked values that are not kept, so steps after it could show them", mend);
    }
    if (!stage->waited_for.empty() && index_of_position(stage->waited_for) >= go_on_.first) {
      return refuse(step.place, what + " runs in the background beyond the step to begin with", mend);
    }
    for (const auto* each : {stage, stage_at(go_on_.trail, plain_position(index) + ".pre")}) {
      if (each) check_texts(*each, step.place, what, mend);
    }
  }

  void check_texts(const StageTrail& stage, const Place& place, const std::string& what, const std::string& mend) {
    const auto look = [&](const KeptTexts& texts, const char* kind) {
      for (const auto& [name, text] : texts) check_text(text, place, what + ": " + kind + " '" + name + "'", mend);
    };
    look(stage.outputs, "output");
    look(stage.environment, "environment variable");
    for (const auto& directory : stage.path) check_text(directory, place, what + ": a directory of PATH", mend);
    check_text(stage.artifacts, place, what + ": an artifact that it declared", mend);
    check_use(stage.use, place, what, mend);
  }

  void check_use(const KeptUse& use, const Place& place, const std::string& what, const std::string& mend) {
    for (const auto& [name, text] : use.state) check_text(text, place, what + ": saved state '" + name + "'", mend);
    check_text(use.steps, place, what + ": an output of a step of the action", mend);
    for (const auto& each : use.nested) check_use(each, place, what, mend);
  }

  void check_text(const KeptText& text, const Place& place, const std::string& what, const std::string& mend) {
    if (!found_.empty()) return;
    if (text.withheld) return refuse(place, what + " may hold a secret, and was not kept", mend);
    for (const auto& piece : text.pieces) {
      const auto& given = request_.secrets;
      if (piece.is_secret && std::find(given.begin(), given.end(), piece.text) == given.end()) {
        return refuse(place, what + " holds the secret '" + piece.text + "', which is not given", "-s " + piece.text);
      }
    }
  }

  void refuse(const Place& place, std::string what, std::string mend) { found_.push_back(refusal(place, std::move(what), std::move(mend))); }

  const JobRequest& request_;
  const GoOn& go_on_;
  parser::Diagnostics found_;
};

void withhold_masked(KeptText& text, const Masker& masker) {
  text.withheld = text.withheld || std::any_of(text.pieces.begin(), text.pieces.end(), [&](const KeptText::Piece& piece) {
                    return !piece.is_secret && masker.mask(piece.text) != piece.text;
                  });
  if (text.withheld) text.pieces.clear();
}

Result<std::map<std::string, std::string>> read_map(const KeptTexts& texts, const Secrets& secrets) {
  std::map<std::string, std::string> out;
  for (const auto& [name, text] : texts) {
    DRYDOCK_ASSIGN(out[name], read_kept(text, secrets));
  }
  return out;
}

Result<ActionUse> read_use(const KeptUse& kept, const Secrets& secrets) {
  ActionUse use;
  DRYDOCK_ASSIGN(use.state, read_map(kept.state, secrets));
  DRYDOCK_ASSIGN(const std::string steps, read_kept(kept.steps, secrets));
  if (!steps.empty()) {
    DRYDOCK_ASSIGN(const OrderedJson json, parse_ordered_json(steps, "results of an action's steps"));
    const Value values = Value::from_json(json);
    for (const auto& member : values.object()) use.steps.set(member.name, member.value);
  }
  use.posts = kept.posts;
  use.post_registered = kept.post_registered;
  for (const auto& each : kept.nested) {
    DRYDOCK_ASSIGN(auto nested, read_use(each, secrets));
    use.nested.push_back(std::move(nested));
  }
  return use;
}

Result<RestoredStage> restore(const StageTrail& kept, const Secrets& secrets) {
  RestoredStage stage{.kept = &kept, .index = index_of_position(kept.position)};
  stage.result = {.id = kept.id, .name = kept.name, .position = kept.position, .outcome = kept.outcome, .conclusion = kept.conclusion};
  stage.result.exit_code = kept.exit_code;
  stage.result.summary = kept.summary;
  DRYDOCK_ASSIGN(stage.result.outputs, read_map(kept.outputs, secrets));
  stage.effects.outputs = stage.result.outputs;
  for (const auto& [name, text] : kept.environment) {
    DRYDOCK_ASSIGN(std::string value, read_kept(text, secrets));
    stage.effects.environment.emplace_back(name, std::move(value));
  }
  for (const auto& text : kept.path) {
    DRYDOCK_ASSIGN(std::string directory, read_kept(text, secrets));
    stage.effects.path.push_back(std::move(directory));
  }
  stage.effects.matchers = kept.matchers;
  DRYDOCK_ASSIGN(stage.effects.artifacts, read_kept(kept.artifacts, secrets));
  DRYDOCK_ASSIGN(stage.use, read_use(kept.use, secrets));
  return stage;
}

}  // namespace

Result<std::size_t> find_step(const JobRequest& request, const JobTrail& known, const std::string& wanted) {
  const auto& steps = request.steps;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!steps[i].id.starts_with("__") && steps[i].id == wanted) return i;
  }
  std::size_t number = 0;
  const auto [end, wrong] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), number);
  if (wrong == std::errc() && end == wanted.data() + wanted.size() && number >= 1 && number <= steps.size()) return number - 1;
  std::vector<std::size_t> named;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (shown_name(request, known, i) == wanted || (!steps[i].name.empty() && steps[i].name.shown() == wanted)) named.push_back(i);
  }
  if (named.size() == 1) return named.front();
  const std::string which = "steps are: " + listed_steps(request, known);
  if (named.empty()) return make_error(ErrorCode::usage, "job '" + request.key + "' has no step '" + wanted + "'", which);
  return make_error(ErrorCode::usage, "several steps of job '" + request.key + "' are named '" + wanted + "'", "give its number; " + which);
}

std::string fingerprint_of(const StepRequest& step) {
  Fingerprint print;
  print.add(step.id);
  for (const Text* text : {&step.name, &step.condition, &step.run, &step.shell, &step.working_directory, &step.uses,
                           &step.continue_on_error, &step.timeout_minutes}) {
    print.add(*text);
  }
  print.add(step.with);
  print.add(step.env);
  print.add(std::to_string(step.background) + std::to_string(static_cast<int>(step.control)));
  for (const auto& target : step.targets) print.add(target);
  return print.finish();
}

parser::Diagnostics check_go_on(const JobRequest& request) { return request.go_on ? GoOnCheck(request).run() : parser::Diagnostics(); }

KeptText keep_text(const std::string& text, const Secrets& secrets, const Masker& masker) {
  std::vector<KeptText::Piece> pieces;
  if (!text.empty()) pieces.push_back({text});
  // A secret may be a part of another one.
  std::vector<std::pair<std::string, std::string>> by_length(secrets.begin(), secrets.end());
  std::stable_sort(by_length.begin(), by_length.end(), [](const auto& a, const auto& b) { return a.second.size() > b.second.size(); });
  for (const auto& [name, value] : by_length) {
    if (value.empty() || !is_masked(name)) continue;
    std::vector<KeptText::Piece> finer;
    for (auto& piece : pieces) {
      std::size_t begin = 0;
      for (auto at = piece.is_secret ? std::string::npos : piece.text.find(value); at != std::string::npos; at = piece.text.find(value, begin)) {
        if (at > begin) finer.push_back({piece.text.substr(begin, at - begin)});
        finer.push_back({name, true});
        begin = at + value.size();
      }
      if (begin == 0) finer.push_back(std::move(piece));
      else if (begin < piece.text.size()) finer.push_back({piece.text.substr(begin)});
    }
    pieces = std::move(finer);
  }
  KeptText out{.pieces = std::move(pieces)};
  withhold_masked(out, masker);
  return out;
}

Result<std::string> read_kept(const KeptText& text, const Secrets& secrets) {
  if (text.withheld) return make_error(ErrorCode::not_found, "a value that may hold a secret was not kept");
  std::string out;
  for (const auto& piece : text.pieces) {
    const auto secret = piece.is_secret ? secrets.find(piece.text) : secrets.end();
    if (piece.is_secret && secret == secrets.end()) {
      return make_error(ErrorCode::not_found, "the secret '" + piece.text + "' is not given", "-s " + piece.text);
    }
    out += piece.is_secret ? secret->second : piece.text;
  }
  return out;
}

bool is_taken(const GoOn& go_on, std::size_t index) {
  const StageTrail* main = stage_at(go_on.trail, plain_position(index));
  return index < go_on.first && !(main && main->logs_in);
}

bool post_is_done(const GoOn& go_on, std::size_t index) {
  const StageTrail* post = stage_at(go_on.trail, plain_position(index) + ".post");
  return post && (post->outcome == Outcome::success || post->outcome == Outcome::failure);
}

Result<std::vector<RestoredStage>> restore_stages(const GoOn& go_on, const Secrets& secrets) {
  std::vector<RestoredStage> out;
  for (const auto& stage : go_on.trail.stages) {
    if (!is_taken(go_on, index_of_position(stage.position))) continue;
    DRYDOCK_ASSIGN(auto restored, restore(stage, secrets));
    out.push_back(std::move(restored));
  }
  return out;
}

void restore_use(ActionUse& into, const ActionUse& from) {
  into.state = from.state;
  into.steps = from.steps;
  into.posts = from.posts;
  into.post_registered = from.post_registered;
  if (into.nested.size() < from.nested.size()) into.nested.resize(from.nested.size());
  for (std::size_t i = 0; i < from.nested.size(); ++i) restore_use(into.nested[i], from.nested[i]);
}

KeptTexts TrailKeeper::kept(const std::map<std::string, std::string>& values) const {
  KeptTexts out;
  for (const auto& [name, value] : values) out.emplace_back(name, keep_text(value, secrets_, masker_));
  return out;
}

KeptUse TrailKeeper::kept(const ActionUse& use) const {
  KeptUse out{.state = kept(use.state), .posts = use.posts, .post_registered = use.post_registered};
  if (use.steps.begin() != use.steps.end()) {
    out.steps = keep_text(dump_json(Value(use.steps).to_json()), secrets_, masker_);
  }
  for (const auto& each : use.nested) out.nested.push_back(kept(each));
  return out;
}

void TrailKeeper::withhold(KeptText& text) const { withhold_masked(text, masker_); }

void TrailKeeper::withhold(KeptUse& use) const {
  for (auto& [name, text] : use.state) withhold(text);
  withhold(use.steps);
  for (auto& each : use.nested) withhold(each);
}

JobTrail TrailKeeper::take() && {
  for (auto& stage : trail_.stages) {
    stage.name = masker_.mask(stage.name);
    stage.summary = masker_.mask(stage.summary);
    for (auto* texts : {&stage.outputs, &stage.environment}) {
      for (auto& [name, text] : *texts) withhold(text);
    }
    for (auto& directory : stage.path) withhold(directory);
    for (auto& change : stage.matchers) change.text = masker_.mask(change.text);
    withhold(stage.artifacts);
    withhold(stage.use);
  }
  return std::move(trail_);
}

StageTrail& TrailKeeper::keep(std::size_t index, const StepResult& result, const ActionEffects& effects, const ActionUse* use) {
  StageTrail stage{.position = result.position, .id = result.id, .name = masker_.mask(result.name)};
  if (index < request_.steps.size()) stage.fingerprint = fingerprint_of(request_.steps[index]);
  stage.outcome = result.outcome;
  stage.conclusion = result.conclusion;
  stage.exit_code = result.exit_code;
  stage.summary = masker_.mask(result.summary);
  stage.outputs = kept(result.outputs);
  for (const auto& [name, value] : effects.environment) stage.environment.emplace_back(name, keep_text(value, secrets_, masker_));
  for (const auto& directory : effects.path) stage.path.push_back(keep_text(directory, secrets_, masker_));
  for (const auto& change : effects.matchers) stage.matchers.push_back({change.file, masker_.mask(change.text)});
  stage.artifacts = keep_text(effects.artifacts, secrets_, masker_);
  stage.masks = effects.masks;
  if (use) stage.use = kept(*use);
  return trail_.stages.emplace_back(std::move(stage));
}

}  // namespace drydock::step
