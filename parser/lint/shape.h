#pragma once
// Shape: whether every section of the file has the form its key asks for, seen on the YAML itself so that
// places are exact and one mistake hides no other. Also what hangs on the form of `on:` and `permissions:`
// alone. Internal to this room.

#include "parser/lint/context.h"

#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::lint {

enum class Empty { refused, allowed };
enum class Case { sensitive, ignored };

class Shape {
 public:
  explicit Shape(LintContext& context) : context_(context), document_(*context.document) {}

  void workflow();

 private:
  using Id = yaml::NodeId;
  struct Pair {
    std::string id;  // the key; in lower case where case is ignored
    Id key;
    Id value;
  };
  using Keys = std::initializer_list<std::string_view>;

  // shape.cpp: the forms
  const yaml::Node& at(Id id) const;
  Position place(Id id) const { return at(id).range.start; }
  void error(Id id, std::string message, std::string mend = {});
  void error(Position place, std::string message, std::string mend = {});
  void unexpected_key(const Pair& pair, std::string_view section, Keys expected);
  bool string(Id id, Empty empty);
  void boolean(Id id);
  void number(Id id, std::string_view what, bool whole);
  bool sequence(std::string_view section, Id id, Empty empty);
  void strings(std::string_view section, Id id, Empty empty, Empty empty_item);
  void string_or_strings(std::string_view section, Id id, Empty empty, Empty empty_item);
  void expression(Id id, std::string_view what);
  std::vector<Pair> mapping(const std::string& what, Id id, Empty empty, Case keys = Case::sensitive);
  std::vector<Pair> section(std::string_view name, Id id, Empty empty, Case keys = Case::sensitive);
  void string_map(std::string_view name, Id id);
  void anchors();
  void walk_anchors(Id id, std::vector<Id>& above, std::set<Id>& seen);

  // shape_events.cpp
  void events(Id id);
  void event_name(Id id);
  void schedule(Id id);
  void dispatch(Id id);
  void dispatch_input(const Pair& input);
  void check_dispatch_input(const Pair& input, std::string_view type, Id options, Id default_value);
  void repository_dispatch(Id id);
  void image_version(Id id);
  void webhook(const Pair& event);
  void workflow_call(Id id);
  void call_input(const Pair& input);
  void check_types(const Pair& event, Id types);
  void globs(Id id, bool is_path);

  // shape_sections.cpp: sections of workflow and jobs
  void permissions(Id id);
  void env(Id id);
  void defaults(Id id);
  void concurrency(const Pair& pair);
  void environment(const Pair& pair);
  void strategy(Id id);
  void matrix(Id id);
  void combinations(std::string_view name, Id id);
  void container(std::string_view name, const Pair& pair, bool is_service);
  void credentials(const Pair& pair);
  void services(Id id);
  void snapshot(const Pair& pair);
  void runs_on(Id id);
  void timeout(Id id);

  // shape_jobs.cpp
  void jobs(Id id);
  void job(const Pair& pair);
  bool job_section(const Pair& pair);
  void steps(Id id, bool& present);
  void step(Id id);
  void step_section(const Pair& pair);
  void call_secrets(Id id);

  LintContext& context_;
  const yaml::Document& document_;
  std::set<Id> recursive_;  // aliases that stand for something they are part of
};

bool is_null(const yaml::Node& node);
bool is_expression(std::string_view value);  // one ${{ }} and nothing else

}  // namespace drydock::parser::lint
