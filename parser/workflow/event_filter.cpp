#include "parser/workflow/event_filter.h"

#include "parser/workflow/glob.h"

#include <algorithm>

namespace drydock::parser::workflow {

namespace {

constexpr std::string_view k_heads = "refs/heads/";
constexpr std::string_view k_tags = "refs/tags/";

std::vector<std::string> values_of(const TextList& list) {
  std::vector<std::string> values;
  for (const auto& item : list.items) values.push_back(item.value);
  return values;
}

std::string listed(const TextList& list) {
  std::string text;
  for (const auto& item : list.items) text += (text.empty() ? "" : ", ") + item.value;
  return text;
}

Verdict no(std::string reason) { return {false, std::move(reason)}; }

/// Collects why the event does not run the workflow; the first reason decides.
class Filter {
 public:
  Filter(const Event& event, const Trigger& trigger) : event_(event), trigger_(trigger) {}

  Verdict run() {
    for (const auto check : {&Filter::activity, &Filter::ref, &Filter::paths, &Filter::workflow, &Filter::schedule, &Filter::image}) {
      if (auto reason = (this->*check)(); !reason.empty()) return no(std::move(reason));
    }
    return {true, assumed_};
  }

 private:
  std::string activity() {
    std::vector<std::string_view> types;
    if (event_.types) {
      for (const auto& item : event_.types->items) types.push_back(item.value);
    } else {
      types = default_types(event_.name);
    }
    if (types.empty()) return {};
    if (trigger_.activity.empty()) {
      if (event_.types) assume("the activity type is not known and taken to be one of: " + listed(*event_.types));
      return {};
    }
    if (std::find(types.begin(), types.end(), trigger_.activity) != types.end()) return {};
    std::string text;
    for (const auto type : types) text += (text.empty() ? "" : ", ") + std::string(type);
    return "activity type '" + trigger_.activity + "' is not among: " + text;
  }

  std::string ref() {
    const std::string_view ref = trigger_.ref;
    if (ref.starts_with(k_tags) && event_.name == "push") {
      const bool only_branches = (event_.branches || event_.branches_ignore) && !event_.tags && !event_.tags_ignore;
      if (only_branches) return "a tag was pushed, and only branches are filtered for";
      return name("tag", ref.substr(k_tags.size()), event_.tags, event_.tags_ignore, "tags");
    }
    const bool only_tags = (event_.tags || event_.tags_ignore) && !event_.branches && !event_.branches_ignore;
    if (only_tags) return "a branch was pushed, and only tags are filtered for";
    const auto branch = ref.starts_with(k_heads) ? ref.substr(k_heads.size()) : ref;
    return name("branch", branch, event_.branches, event_.branches_ignore, "branches");
  }

  std::string name(const std::string& what, std::string_view value, const std::optional<TextList>& wanted,
                   const std::optional<TextList>& ignored, const std::string& key) {
    if (wanted && !filter_matches(values_of(*wanted), value)) {
      return what + " '" + std::string(value) + "' does not match " + key + ": " + listed(*wanted);
    }
    if (ignored && filter_matches(values_of(*ignored), value)) {
      return what + " '" + std::string(value) + "' matches " + key + "-ignore: " + listed(*ignored);
    }
    return {};
  }

  std::string paths() {
    if (!event_.paths && !event_.paths_ignore) return {};
    if (trigger_.ref.starts_with(k_tags)) return {};  // GitHub does not look at paths when a tag is pushed
    if (!trigger_.changed_paths) {
      assume("the changed paths are not known and taken to match");
      return {};
    }
    const auto& changed = *trigger_.changed_paths;
    const auto any = [&](const std::vector<std::string>& patterns, bool wanted) {
      return std::any_of(changed.begin(), changed.end(),
                         [&](const std::string& path) { return filter_matches(patterns, path) == wanted; });
    };
    if (event_.paths && !any(values_of(*event_.paths), true)) {
      return "no changed path matches paths: " + listed(*event_.paths);
    }
    if (event_.paths_ignore && !any(values_of(*event_.paths_ignore), false)) {
      return "every changed path matches paths-ignore: " + listed(*event_.paths_ignore);
    }
    return {};
  }

  std::string workflow() {
    if (!event_.workflows || trigger_.workflow_name.empty()) return {};
    if (filter_matches(values_of(*event_.workflows), trigger_.workflow_name)) return {};
    return "workflow '" + trigger_.workflow_name + "' is not among: " + listed(*event_.workflows);
  }

  std::string schedule() {
    if (event_.schedule.empty() || trigger_.schedule.empty()) return {};
    const auto same = [&](const Schedule& schedule) { return schedule.cron.value == trigger_.schedule; };
    if (std::any_of(event_.schedule.begin(), event_.schedule.end(), same)) return {};
    return "no schedule has the cron line '" + trigger_.schedule + "'";
  }

  /// The payload of image_version is not documented.
  std::string image() {
    for (const auto& [key, wanted] : {std::pair{"names", &event_.names}, {"versions", &event_.versions}}) {
      if (*wanted) assume("the image is not known and taken to match " + std::string(key) + ": " + listed(**wanted));
    }
    return {};
  }

  void assume(std::string text) { assumed_ += (assumed_.empty() ? "" : "; ") + std::move(text); }

  const Event& event_;
  const Trigger& trigger_;
  std::string assumed_;
};

}  // namespace

std::vector<std::string_view> default_types(std::string_view event) {
  if (event == "pull_request" || event == "pull_request_target") return {"opened", "synchronize", "reopened"};
  return {};
}

Verdict triggered_by(const Workflow& workflow, const Trigger& trigger) {
  const auto* event = workflow.find_event(trigger.event);
  if (event != nullptr) return Filter(*event, trigger).run();
  std::string names;
  for (const auto& other : workflow.on) names += (names.empty() ? "" : ", ") + other.name;
  return no("event '" + trigger.event + "' is not among: " + names);
}

}  // namespace drydock::parser::workflow
