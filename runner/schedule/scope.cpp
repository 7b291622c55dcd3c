#include "runner/schedule/scope.h"

#include <algorithm>

namespace drydock::runner {
namespace model = parser::workflow;
namespace expression = parser::expression;
namespace {

int severity(Outcome outcome) {
  switch (outcome) {
    case Outcome::failure: return 3;
    case Outcome::cancelled: return 2;
    case Outcome::skipped: return 1;
    default: return 0;
  }
}

void add_wanted(const model::Workflow& workflow, const model::Job& job, std::set<std::string>& ids) {
  if (!ids.insert(job.id).second) return;
  for (const auto& need : job.needs) {
    if (const model::Job* needed = workflow.find_job(need.value)) add_wanted(workflow, *needed, ids);
  }
}

expression::Value result_of(const JobEntry& entry) {
  expression::Object outputs, one;
  for (const auto& [name, value] : entry.outputs) outputs.set(name, value);
  one.set("result", std::string(name_of(entry.result)));
  one.set("outputs", expression::Value(std::move(outputs)));
  return expression::Value(std::move(one));
}

}  // namespace

LegRun::LegRun() = default;
LegRun::~LegRun() = default;
LegRun::LegRun(LegRun&&) noexcept = default;

JobTable::JobTable(const model::Workflow& workflow, const std::set<std::string>& wanted) {
  std::set<std::string> ids;
  for (const auto& id : wanted) {
    if (const model::Job* job = workflow.find_job(id)) add_wanted(workflow, *job, ids);
  }
  for (const auto& job : workflow.jobs) {
    if (!wanted.empty() && !ids.contains(job.id)) continue;
    entries_.emplace_back().job = &job;
  }
}

const JobEntry* JobTable::find(const std::string& id) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const JobEntry& entry) {
    return expression::equal_ignoring_case(entry.job->id, id);
  });
  return found == entries_.end() ? nullptr : &*found;
}

bool JobTable::ready(const JobEntry& entry) const {
  return entry.state == JobState::waiting &&
         std::all_of(entry.job->needs.begin(), entry.job->needs.end(), [&](const model::Text& need) {
           const JobEntry* needed = find(need.value);
           return !needed || needed->state == JobState::done;
         });
}

bool JobTable::all_done() const {
  return std::all_of(entries_.begin(), entries_.end(), [](const JobEntry& entry) { return entry.state == JobState::done; });
}

expression::Value JobTable::needs_of(const JobEntry& entry) const {
  expression::Object needs;
  for (const auto& need : entry.job->needs) {
    if (const JobEntry* needed = find(need.value)) needs.set(needed->job->id, result_of(*needed));
  }
  return expression::Value(std::move(needs));
}

expression::Value JobTable::jobs() const {
  expression::Object all;
  for (const auto& entry : entries_) all.set(entry.job->id, result_of(entry));
  return expression::Value(std::move(all));
}

void JobTable::collect(const JobEntry& entry, std::set<const JobEntry*>& found) const {
  for (const auto& need : entry.job->needs) {
    const JobEntry* needed = find(need.value);
    if (needed && found.insert(needed).second) collect(*needed, found);
  }
}

Outcome JobTable::ancestors_of(const JobEntry& entry) const {
  std::set<const JobEntry*> before;
  collect(entry, before);
  Outcome worst = Outcome::success;
  for (const JobEntry* each : before) {
    if (severity(each->result) > severity(worst)) worst = each->result;
  }
  return worst;
}

Outcome JobTable::conclusion() const {
  const auto any = [&](Outcome outcome) {
    return std::any_of(entries_.begin(), entries_.end(), [&](const JobEntry& entry) { return entry.result == outcome; });
  };
  for (const Outcome outcome : {Outcome::failure, Outcome::cancelled, Outcome::success}) {
    if (any(outcome)) return outcome;
  }
  return Outcome::skipped;
}

void JobTable::leg_ended(JobEntry& entry, LegRun& leg, step::JobResult result, bool continue_on_error) {
  leg.state = LegState::ended;
  leg.result = std::move(result);
  leg.group.reset();
  Outcome outcome = leg.result.conclusion;
  if (outcome == Outcome::failure && continue_on_error) outcome = Outcome::success;
  if (outcome == Outcome::failure && entry.expansion.fail_fast && entry.legs.size() > 1) entry.stopped = true;
  // One leg that ran makes the job a success, even where others called workflows of which no job ran.
  const auto weight = [](Outcome each) { return each == Outcome::skipped ? -1 : severity(each); };
  if (entry.result == Outcome::none || weight(outcome) > weight(entry.result)) entry.result = outcome;
  // Of several legs that set one output, the last to end with a value wins, as on GitHub.
  for (const auto& [name, value] : leg.result.outputs) {
    if (!value.empty() || !entry.outputs.contains(name)) entry.outputs[name] = value;
  }
  const bool last = std::all_of(entry.legs.begin(), entry.legs.end(), [](const LegRun& each) { return each.state == LegState::ended; });
  if (last) entry.state = JobState::done;
}

void JobTable::end_without_legs(JobEntry& entry, step::JobResult result) {
  entry.state = JobState::done;
  entry.result = result.conclusion;
  entry.legs.clear();
  LegRun& only = entry.legs.emplace_back();
  only.state = LegState::ended;
  only.result = std::move(result);
}

ExpansionContexts Scope::contexts_of(const JobEntry& entry) const {
  ExpansionContexts contexts;
  contexts.github = github;
  contexts.inputs = inputs;
  contexts.needs = table.needs_of(entry);
  contexts.ancestors = table.ancestors_of(entry);
  contexts.cancelled = cancelled;
  contexts.caller = prefix;
  return contexts;
}

bool Scope::holds(const std::string& group_name) const {
  const auto same = [&](const std::string& name) { return !name.empty() && expression::equal_ignoring_case(name, group_name); };
  return (group && same(group->name())) || same(held_group) || (caller && caller->holds(group_name));
}

}  // namespace drydock::runner
