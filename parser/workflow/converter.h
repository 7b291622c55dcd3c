#pragma once
// Converter: a token tree that the schema has accepted (or mostly) becomes the typed model, with GitHub's checks
// that no schema can make. Internal to this room; collects issues, never stops. Not thread-safe.

#include "parser/workflow/issue.h"
#include "parser/workflow/model.h"
#include "parser/workflow/schema.h"

#include <string>
#include <string_view>

namespace drydock::parser::workflow {

class Converter {
 public:
  explicit Converter(Issues& issues) : issues_(issues) {}

  Workflow workflow(const Token& root, std::string file);
  std::vector<Event> events(const Token& on);
  Job job(const Token& key, const Token& value);
  /// Ids are unique within the list, and within each block of parallel steps; missing ones are generated as GitHub does.
  std::vector<Step> steps(const Token& list, const Schema& schema);

 private:
  void error(const Token& at, std::string message, std::string mend = {});

  // workflow
  Permissions permissions(const Token& value);
  Defaults defaults(const Token& value);
  Concurrency concurrency(const Token& value);
  void check_needs(const Token& jobs, const std::vector<Job>& list);
  void report_unreachable(const std::vector<Job>& jobs, const std::vector<std::vector<Text>>& left);

  // jobs
  bool job_entry(Job& job, std::string_view key, const Token& value);
  bool call_entry(Job& job, std::string_view key, const Token& value);
  RunsOn runs_on(const Token& value);
  void check_group(const Token& value);
  Environment environment(const Token& value);
  Strategy strategy(const Token& value);
  void check_matrix(const Token& matrix);
  void check_uses(const Token& value);
  Container container(const Token& value, bool is_service);
  std::vector<Service> services(const Token& value);
  Snapshot snapshot(const Token& value);

  // steps
  std::vector<Step> steps_of(const Token& list, class IdBuilder& ids, const Schema& schema);
  Step step(const Token& value, class IdBuilder& ids, const Schema& schema);
  void step_entry(Step& step, std::string_view key, const Token& value, class IdBuilder& ids, const Schema& schema);
  void parallel(Step& step, const Token& list, const Schema& schema);
  void check_targets(const Step& step, const std::vector<Step>& before);
  void check_action(const Token& uses);

  /// The whole rule of `if:`: "success()" for nothing, "success() && (…)" without a status function.
  std::string condition(const Token* value, const Schema& schema, std::string_view definition);

  Issues& issues_;
};

/// The text of a string token (a literal scalar of another kind as GitHub prints it) with its place.
Text text_of(const Token& token);

/// One or many: the items of a sequence, or the value alone.
TextList texts_of(const Token& token);

/// Whether an expression stands anywhere in the value.
bool contains_expression(const Token& token);

}  // namespace drydock::parser::workflow
