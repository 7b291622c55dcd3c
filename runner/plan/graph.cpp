#include "runner/plan/graph.h"

#include <algorithm>
#include <map>

#include "parser/expression/value.h"

namespace drydock::runner {
namespace {

using Jobs = std::vector<PlannedJob>;

std::optional<std::size_t> index_of(const Jobs& jobs, const std::string& id) {
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (parser::expression::equal_ignoring_case(jobs[i].id, id)) return i;
  }
  return std::nullopt;
}

/// One more than the latest stage of what each job needs. The reader has refused cycles.
std::vector<std::size_t> stages_of(const Jobs& jobs) {
  std::vector<std::size_t> stages(jobs.size(), 0);
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      for (const auto& need : jobs[i].needs) {
        const auto before = index_of(jobs, need);
        if (!before || stages[*before] < stages[i] || stages[i] >= jobs.size()) continue;
        stages[i] = stages[*before] + 1;
        moved = true;
      }
    }
  }
  return stages;
}

/// "build ×4", "build ×?": how often it runs, where that is not once.
std::string title_of(const PlannedJob& job) {
  if (!job.matrix_waits_for.empty()) return job.id + " ×?";
  return job.legs.size() > 1 ? job.id + " ×" + std::to_string(job.legs.size()) : job.id;
}

std::string graph_mark(Will will) {
  return will == Will::run ? "" : will == Will::skip ? " (skipped)" : " (unknown)";
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string heading(const PlannedWorkflow& workflow) {
  return one_line(workflow.name == workflow.file ? workflow.file : workflow.name + " (" + workflow.file + ")");
}

/// The jobs that a call runs; those of its first leg stand for all.
const Jobs& called_by(const PlannedJob& job) {
  static const Jobs k_none;
  return job.legs.empty() ? k_none : job.legs.front().jobs;
}

void print_jobs(std::string& out, const std::string& indent, const Jobs& jobs) {
  const auto stages = stages_of(jobs);
  const std::size_t last = jobs.empty() ? 0 : *std::max_element(stages.begin(), stages.end());
  for (std::size_t stage = 0; stage <= last && !jobs.empty(); ++stage) {
    out += indent + "stage " + std::to_string(stage + 1) + "\n";
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (stages[i] != stage) continue;
      out += indent + "  " + title_of(jobs[i]) + graph_mark(jobs[i].will);
      for (std::size_t n = 0; n < jobs[i].needs.size(); ++n) out += (n == 0 ? " <- " : ", ") + jobs[i].needs[n];
      out += "\n";
      print_jobs(out, indent + "      ", called_by(jobs[i]));
    }
  }
}

std::string text_graph(const Plan& plan) {
  std::string out;
  for (const auto& workflow : plan.workflows) {
    out += "workflow " + heading(workflow) + graph_mark(workflow.will) +
           (workflow.will == Will::skip ? ": " + workflow.reason : "") + "\n";
    print_jobs(out, "  ", workflow.jobs);
  }
  return out;
}

/// A label between quotes: what would end it, or be read as markup or as an entity, is written as an entity.
std::string quoted(const std::string& text) {
  static const std::map<char, std::string> k_entities{
      {'"', "#quot;"}, {'#', "#35;"}, {'<', "#lt;"}, {'>', "#gt;"}, {'&', "#amp;"}, {'`', "#96;"}};
  std::string out = "\"";
  for (const char c : one_line(text)) {
    const auto entity = k_entities.find(c);
    out += entity == k_entities.end() ? std::string(1, c) : entity->second;
  }
  return out + "\"";
}

class MermaidGraph {
 public:
  std::string run(const Plan& plan) {
    out_ = "flowchart LR\n";
    for (std::size_t i = 0; i < plan.workflows.size(); ++i) workflow(plan.workflows[i], "w" + std::to_string(i));
    out_ += "  classDef skipped stroke-dasharray:4 4,opacity:0.5\n  classDef unknown stroke-dasharray:4 4\n";
    for (const auto& [name, ids] : marked_) out_ += "  class " + ids + " " + name + "\n";
    return std::move(out_);
  }

 private:
  void workflow(const PlannedWorkflow& workflow, const std::string& id) {
    if (workflow.jobs.empty()) {
      node("  ", id, heading(workflow), workflow.will);
      return;
    }
    out_ += "  subgraph " + id + "[" + quoted(heading(workflow)) + "]\n";
    jobs("    ", id, workflow.jobs);
    out_ += "  end\n";
  }

  // Names of jobs may be words of the language ("end"), so nodes are numbered.
  void jobs(const std::string& indent, const std::string& prefix, const Jobs& jobs) {
    const auto id = [&](std::size_t i) { return prefix + "_" + std::to_string(i); };
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const Jobs& called = called_by(jobs[i]);
      if (called.empty()) {
        node(indent, id(i), title_of(jobs[i]), jobs[i].will);
        continue;
      }
      out_ += indent + "subgraph " + id(i) + "[" + quoted(title_of(jobs[i]) + graph_mark(jobs[i].will)) + "]\n";
      this->jobs(indent + "  ", id(i), called);
      out_ += indent + "end\n";
    }
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      for (const auto& need : jobs[i].needs) {
        if (const auto before = index_of(jobs, need)) out_ += indent + id(*before) + " --> " + id(i) + "\n";
      }
    }
  }

  void node(const std::string& indent, const std::string& id, const std::string& title, Will will) {
    out_ += indent + id + "[" + quoted(title + graph_mark(will)) + "]\n";
    if (will == Will::run) return;
    std::string& ids = marked_[will == Will::skip ? "skipped" : "unknown"];
    ids += (ids.empty() ? "" : ",") + id;
  }

  std::string out_;
  std::map<std::string, std::string> marked_;
};

}  // namespace

std::optional<GraphForm> parse_graph_form(std::string_view name) {
  if (name == "text") return GraphForm::text;
  if (name == "mermaid") return GraphForm::mermaid;
  return std::nullopt;
}

std::string to_graph(const Plan& plan, GraphForm form) {
  return form == GraphForm::text ? text_graph(plan) : MermaidGraph().run(plan);
}

}  // namespace drydock::runner
