#include "runner/schedule/job_table.h"

#include <algorithm>

namespace drydock::runner {
namespace model = parser::workflow;
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

}  // namespace

JobTable::JobTable(const model::Workflow& workflow, const std::set<std::string>& wanted) {
  std::set<std::string> ids;
  for (const auto& id : wanted) {
    if (const model::Job* job = workflow.find_job(id)) add_wanted(workflow, *job, ids);
  }
  for (const auto& job : workflow.jobs) {
    if (wanted.empty() || ids.contains(job.id)) entries_.push_back({.job = &job});
  }
}

const JobEntry* JobTable::find(const std::string& id) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const JobEntry& entry) {
    return parser::expression::equal_ignoring_case(entry.job->id, id);
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

parser::expression::Value JobTable::needs_of(const JobEntry& entry) const {
  parser::expression::Object needs;
  for (const auto& need : entry.job->needs) {
    const JobEntry* needed = find(need.value);
    if (!needed) continue;
    parser::expression::Object outputs, one;
    for (const auto& [name, value] : needed->outputs) outputs.set(name, value);
    one.set("result", std::string(name_of(needed->result)));
    one.set("outputs", parser::expression::Value(std::move(outputs)));
    needs.set(needed->job->id, parser::expression::Value(std::move(one)));
  }
  return parser::expression::Value(std::move(needs));
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

void JobTable::leg_ended(JobEntry& entry, const step::JobResult& result, bool continue_on_error) {
  ++entry.ended;
  Outcome outcome = result.conclusion;
  if (outcome == Outcome::failure && continue_on_error) outcome = Outcome::success;
  if (outcome == Outcome::failure && entry.expansion.fail_fast && entry.expansion.legs.size() > 1) entry.stopped = true;
  if (entry.result == Outcome::none || severity(outcome) > severity(entry.result)) entry.result = outcome;
  // Of several legs that set one output, the last to end with a value wins, as on GitHub.
  for (const auto& [name, value] : result.outputs) {
    if (!value.empty() || !entry.outputs.contains(name)) entry.outputs[name] = value;
  }
  if (entry.ended == entry.expansion.legs.size()) entry.state = JobState::done;
}

void JobTable::skip(JobEntry& entry) {
  entry.state = JobState::done;
  entry.result = Outcome::skipped;
}

}  // namespace drydock::runner
