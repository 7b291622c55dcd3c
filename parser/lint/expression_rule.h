#pragma once
// ExpressionRule: visits every place of a workflow where an expression may stand, with the contexts as they
// are at that point: steps that have run, needs that are named, the job's matrix. Internal to this room.

#include "parser/expression/expression.h"
#include "parser/lint/context.h"
#include "parser/lint/type.h"

#include <optional>
#include <string_view>
#include <vector>

namespace drydock::parser::lint {

class ExpressionRule {
 public:
  explicit ExpressionRule(LintContext& context);

  void run();

 private:
  using Token = workflow::Token;
  enum class Script { no, yes };
  struct Typed {
    TypePtr type;
    std::size_t offset = 0;  // of its ${{ in the value
  };

  // expression_rule.cpp: one value
  std::optional<std::vector<Typed>> expressions(const Token& token, std::string_view key,
                                                Script script = Script::no);
  TypePtr checked(const Token& token, std::string_view text, std::size_t offset, std::string_view key,
                  Script script);
  void text(const Token& token, std::string_view key, Script script = Script::no);
  void text(const std::optional<Token>& token, std::string_view key, Script script = Script::no);
  TypePtr whole(const Token& token, std::string_view key);
  void typed(const std::optional<Token>& token, std::string_view key, Kind kind, std::string_view what);
  void texts(const std::optional<Token>& token, std::string_view key);
  void tree(const Token& token, std::string_view key);
  void condition(const std::optional<Token>& token, std::string_view key);
  void report(const Token& token, std::size_t offset, std::string message, std::string mend = {});

  // expression_places.cpp: where they stand
  void contexts_of_workflow();
  void call_inputs(const workflow::Event& event);
  void call_outputs();
  void jobs();
  void job(const workflow::Job& job);
  void after_steps(const workflow::Job& job);
  void container(const workflow::Container& container, std::string_view key);
  void called(const workflow::Job& job);
  void steps(const std::vector<workflow::Step>& list);
  void step(const workflow::Step& step);
  void remember(const workflow::Step& step);
  void defaults(const std::optional<workflow::Defaults>& defaults, std::string_view key);
  void concurrency(const std::optional<workflow::Concurrency>& concurrency, std::string_view key);
  TypePtr needs_type(const workflow::Job& job);
  TypePtr job_outputs(const workflow::Job& job);

  LintContext& context_;
  Properties contexts_;
};

void check_expressions(LintContext& context);

}  // namespace drydock::parser::lint
