#pragma once
// MatchedProblem matchers: patterns that find problems in the output of steps and make annotations of them, in the format of
// GitHub's runner (problemMatcher[].{owner, severity, fromPath, pattern[]}). Owns the expressions (PCRE2, which takes
// what JavaScript and .NET take here); reads no files. A MatcherState is one stream's; ProblemMatchers is a job's and
// thread-safe.
// https://github.com/actions/toolkit/blob/main/docs/problem-matchers.md

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/result.h"

namespace drydock::step {

/// A compiled expression; immutable, shared by threads.
class LinePattern {
 public:
  static Result<LinePattern> compile(const std::string& expression);
  /// The groups, the whole match first; nothing when the line does not match. An error (failed) when it would take
  /// too long.
  Result<std::optional<std::vector<std::string>>> match(std::string_view line) const;
  std::uint32_t groups() const { return groups_; }

 private:
  struct Freed {
    void operator()(void* code) const;
  };
  std::shared_ptr<void> code_;
  std::uint32_t groups_ = 0;  // with the whole match
};

/// What a problem is made of, as texts; nothing where no pattern named it.
struct MatchedProblem {
  std::optional<std::string> file, line, column, severity, code, message, from_path;
};

struct MatcherPattern {
  LinePattern expression;
  std::optional<std::uint32_t> file, line, column, severity, code, message, from_path;  // numbers of groups
  bool loop = false;
};

struct Matcher {
  std::string owner;
  std::string severity, from_path;  // where no pattern gives one
  std::vector<MatcherPattern> patterns;
};
using Matchers = std::vector<std::shared_ptr<const Matcher>>;

/// Reads a matcher file, with the runner's own checks and messages; `file` is for errors (invalid_input).
Result<Matchers> parse_matchers(std::string_view text, const std::string& file);

/// How far one matcher has come in one stream.
class MatcherState {
 public:
  explicit MatcherState(std::shared_ptr<const Matcher> matcher);
  Result<std::optional<MatchedProblem>> feed(std::string_view line);
  void reset();
  const std::shared_ptr<const Matcher>& matcher() const { return matcher_; }

 private:
  std::shared_ptr<const Matcher> matcher_;
  std::vector<std::optional<MatchedProblem>> running_;  // of all patterns but the last
};

/// The matchers of a job: a step's ::add-matcher:: holds for every stream from then on.
class ProblemMatchers {
 public:
  /// `workspace` is what relative paths start from; the repository of the workflow is found by its .git/config, which
  /// names `repository` ("owner/name") at `server` (an http(s) address).
  ProblemMatchers(std::string workspace, std::string server, std::string repository)
      : workspace_(std::move(workspace)), server_(std::move(server)), repository_(std::move(repository)) {}

  /// The new ones come first; one of the same owner is replaced.
  void add(const Matchers& matchers);
  /// Owners are compared without case; unknown ones are passed over.
  void remove(const std::vector<std::string>& owners);
  void remove(const std::shared_ptr<const Matcher>& matcher);
  /// Brings a stream's states up to date; those of matchers that stay are kept.
  void update(std::vector<MatcherState>& states, std::uint64_t& seen) const;

  const std::string& workspace() const { return workspace_; }
  /// The path of a problem below the repository, "src/a.c"; nothing when it is no file of it.
  std::optional<std::string> file_of(const MatchedProblem& problem) const;

 private:
  const std::string workspace_, server_, repository_;
  mutable std::mutex mutex_;
  Matchers matchers_;
  std::uint64_t version_ = 0;
};

/// `text` without colours.
std::string without_colours(std::string_view text);

}  // namespace drydock::step
