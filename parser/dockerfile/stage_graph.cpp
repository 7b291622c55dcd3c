#include "parser/dockerfile/stage_graph.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "parser/dockerfile/text.h"

namespace drydock::parser::dockerfile {

namespace {

std::optional<std::size_t> number_in(std::string_view text) {
  std::size_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

class Builder {
 public:
  Builder(const Dockerfile& dockerfile, const GraphRequest& request) : file_(dockerfile), request_(request) {
    for (const auto& stage : file_.stages) {
      if (!stage.name.empty()) names_.push_back(stage.name);
    }
  }

  StageGraph run() && {
    graph_.nodes.resize(file_.stages.size());
    if (file_.stages.empty() || request_.base_names.size() != file_.stages.size()) {
      report({{1, 1}, {1, 1}}, "the Dockerfile has no stage to build", "add FROM");
      return std::move(graph_);
    }
    for (std::size_t i = 0; i < file_.stages.size(); ++i) read_stage(i);
    if (!find_target()) return std::move(graph_);
    state_.assign(file_.stages.size(), State::unseen);
    visit(graph_.target);
    return std::move(graph_);
  }

 private:
  enum class State { unseen, open, done };

  void report(Range range, std::string message, std::string mend) {
    graph_.diagnostics.push_back(
        {Severity::error, file_.ast.file, range, "stages", std::move(message), std::move(mend)});
  }

  // FROM sees the stages above it only; of two with one name, the nearer.
  std::optional<std::size_t> stage_above(std::size_t index, std::string_view name) const {
    const auto wanted = lower(name);
    for (std::size_t i = index; i-- > 0;) {
      if (!wanted.empty() && file_.stages[i].name == wanted) return i;
    }
    return std::nullopt;
  }

  void read_stage(std::size_t index) {
    const Stage& stage = file_.stages[index];
    StageNode& node = graph_.nodes[index];
    if (request_.named_contexts.count(stage.name) > 0) {
      StageInput input;
      input.image = stage.name;
      input.range = stage.range;
      node.inputs.push_back(std::move(input));
      return;  // the context replaces the whole stage
    }
    StageInput from;
    from.range = stage.range;
    from.stage = stage_above(index, request_.base_names[index]);
    if (!from.stage) outside(from, request_.base_names[index]);
    node.inputs.push_back(from);
    if (from.stage) inherit_triggers(*from.stage, node, stage.range);
    read_commands(node.triggers, 0, index);
    read_commands(stage.commands, node.triggers.size(), index);
  }

  void inherit_triggers(std::size_t base, StageNode& node, Range place) {
    if (request_.named_contexts.count(file_.stages[base].name) > 0) return;
    for (const auto& command : file_.stages[base].commands) {
      const auto* onbuild = std::get_if<Onbuild>(&command.body);
      if (onbuild == nullptr) continue;
      auto parsed = parse_trigger(onbuild->expression, file_.ast.file, place);
      for (auto& diagnostic : parsed.diagnostics) graph_.diagnostics.push_back(std::move(diagnostic));
      if (parsed.command) node.triggers.push_back(std::move(*parsed.command));
    }
  }

  void read_commands(const std::vector<Command>& commands, std::size_t offset, std::size_t index) {
    for (std::size_t i = 0; i < commands.size(); ++i) {
      const Command& command = commands[i];
      StageInput input;
      input.command = offset + i;
      input.range = command.range;
      if (const auto* copy = std::get_if<Copy>(&command.body); copy != nullptr && !copy->from.empty()) {
        input.through = StageInput::Through::copy;
        resolve(input, copy->from, index, number_in(copy->from));
      } else if (const auto* run = std::get_if<Run>(&command.body); run != nullptr) {
        for (std::size_t m = 0; m < run->mounts.size(); ++m) {
          if (run->mounts[m].from.empty()) continue;
          input.through = StageInput::Through::mount;
          input.mount = m;
          resolve(input, run->mounts[m].from, index, std::nullopt);
        }
      }
    }
  }

  void resolve(StageInput input, const std::string& name, std::size_t index, std::optional<std::size_t> number) {
    input.stage = number ? number : file_.find_stage(name);
    if (number && *number >= file_.stages.size()) {
      report(input.range, "there is no stage " + name + ": the last one has number " +
                              std::to_string(file_.stages.size() - 1),
             "name the stage with AS and use the name");
      return;
    }
    if (input.stage && *input.stage == index) {
      report(input.range, "the stage " + display(index) + " takes files from itself", "name an earlier stage");
      return;
    }
    if (input.stage && *input.stage > index) late_.push_back({index, graph_.nodes[index].inputs.size()});
    if (!input.stage) outside(input, name);
    graph_.nodes[index].inputs.push_back(std::move(input));
  }

  void outside(StageInput& input, const std::string& name) const {
    input.image = name;
    if (request_.named_contexts.count(lower(name)) == 0) input.near_miss = near_miss(name, names_, Case::ignored);
  }

  bool find_target() {
    graph_.target = file_.stages.size() - 1;
    if (request_.target.empty()) return true;
    if (const auto named = file_.find_stage(request_.target)) {
      graph_.target = *named;
      return true;
    }
    if (const auto number = number_in(request_.target); number && *number < file_.stages.size()) {
      graph_.target = *number;
      return true;
    }
    const auto near = near_miss(request_.target, names_, Case::ignored);
    report(file_.stages.back().range, "there is no target stage \"" + request_.target + "\"",
           !near.empty()     ? "did you mean " + near + "?"
           : names_.empty() ? "the stages have no names: use a number from 0"
                             : "the stages are: " + join(names_, ", "));
    return false;
  }

  std::string display(std::size_t index) const {
    const auto& name = file_.stages[index].name;
    return name.empty() ? std::to_string(index) : "\"" + name + "\"";
  }

  void visit(std::size_t index) {
    state_[index] = State::open;
    path_.push_back(index);
    const auto& inputs = graph_.nodes[index].inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].stage) continue;
      const auto next = *inputs[i].stage;
      if (state_[next] == State::open) {
        report_cycle(next, inputs[i].range);
      } else if (late(index, i)) {
        report(inputs[i].range,
               "the stage " + display(index) + " takes files from " + display(next) + ", which stands below it",
               "move the stage " + display(next) + " above this one");
      } else if (state_[next] == State::unseen) {
        visit(next);
      }
    }
    path_.pop_back();
    state_[index] = State::done;
    graph_.order.push_back(index);
  }

  // A later stage is an error in itself, but a cycle through it is the better explanation.
  bool late(std::size_t index, std::size_t input) {
    if (std::find(late_.begin(), late_.end(), std::pair{index, input}) == late_.end()) return false;
    const auto next = *graph_.nodes[index].inputs[input].stage;
    return !reaches(next, index);
  }

  bool reaches(std::size_t from, std::size_t wanted) const {
    std::vector<std::size_t> open{from};
    std::vector<char> seen(file_.stages.size(), 0);
    while (!open.empty()) {
      const auto at = open.back();
      open.pop_back();
      if (at == wanted) return true;
      if (std::exchange(seen[at], 1) != 0) continue;
      for (const auto& input : graph_.nodes[at].inputs) {
        if (input.stage) open.push_back(*input.stage);
      }
    }
    return false;
  }

  void report_cycle(std::size_t start, Range range) {
    std::string way;
    bool inside = false;
    for (const auto index : path_) {
      inside = inside || index == start;
      if (inside) way += display(index) + " needs ";
    }
    report(range, "stages depend on each other in a circle: " + way + display(start),
           "move what they share into a stage of its own");
  }

  const Dockerfile& file_;
  const GraphRequest& request_;
  std::vector<std::string> names_;
  StageGraph graph_;
  std::vector<State> state_;
  std::vector<std::size_t> path_;
  std::vector<std::pair<std::size_t, std::size_t>> late_;  // stage, input
};

}  // namespace

StageGraph build_stage_graph(const Dockerfile& dockerfile, const GraphRequest& request) {
  return Builder(dockerfile, request).run();
}

}  // namespace drydock::parser::dockerfile
