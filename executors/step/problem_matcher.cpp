#include "executors/step/problem_matcher.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <set>

#include "executors/base/fs.h"
#include "executors/base/json.h"
#include "executors/base/text.h"

namespace drydock::step {
namespace {

namespace fs = std::filesystem;

std::string pcre_message(int code) {
  std::array<unsigned char, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

Error wrong_matcher(std::string message) { return make_error(ErrorCode::invalid_input, std::move(message)); }

/// A property that names a group: its member of MatcherPattern and of MatchedProblem.
struct Property {
  const char* name;
  std::optional<std::uint32_t> MatcherPattern::*group;
  std::optional<std::string> MatchedProblem::*text;
};
constexpr std::array<Property, 7> k_properties{{
    {"file", &MatcherPattern::file, &MatchedProblem::file},
    {"line", &MatcherPattern::line, &MatchedProblem::line},
    {"column", &MatcherPattern::column, &MatchedProblem::column},
    {"severity", &MatcherPattern::severity, &MatchedProblem::severity},
    {"code", &MatcherPattern::code, &MatchedProblem::code},
    {"message", &MatcherPattern::message, &MatchedProblem::message},
    {"fromPath", &MatcherPattern::from_path, &MatchedProblem::from_path},
}};

Result<MatcherPattern> read_pattern(const Json& json, const std::string& file) {
  MatcherPattern pattern;
  DRYDOCK_ASSIGN(const auto expression, json_find<std::string>(json, "regexp", file));
  DRYDOCK_ASSIGN(pattern.expression, LinePattern::compile(expression.value_or("")));
  for (const auto& property : k_properties) {
    DRYDOCK_ASSIGN(const auto group, json_find<std::int64_t>(json, property.name, file));
    if (!group) continue;
    if (*group < 0 || *group >= pattern.expression.groups()) {
      return wrong_matcher("The property '" + std::string(property.name) + "' is set to " + std::to_string(*group) + " which is out of range");
    }
    pattern.*property.group = static_cast<std::uint32_t>(*group);
  }
  DRYDOCK_ASSIGN(const auto loop, json_find<bool>(json, "loop", file));
  pattern.loop = loop.value_or(false);
  return pattern;
}

/// What holds for all patterns of a matcher together.
Status check_patterns(const Matcher& matcher) {
  if (matcher.patterns.empty()) return wrong_matcher("Matcher '" + matcher.owner + "' does not contain any patterns");
  std::set<std::string> named;
  for (const auto& pattern : matcher.patterns) {
    const bool first = &pattern == &matcher.patterns.front(), last = &pattern == &matcher.patterns.back();
    if (pattern.loop && (first || !last)) return wrong_matcher("Only the last pattern in a multiline matcher may set 'loop'");
    if (pattern.loop && !pattern.message) return wrong_matcher("The loop pattern must set 'message'");
    for (const auto& property : k_properties) {
      if (pattern.*property.group && !named.insert(property.name).second) {
        return wrong_matcher("The property '" + std::string(property.name) + "' is set twice");
      }
    }
  }
  if (!named.contains("message")) return wrong_matcher("At least one pattern must set 'message'");
  return {};
}

Result<std::shared_ptr<const Matcher>> read_matcher(const Json& json, const std::string& file) {
  auto matcher = std::make_shared<Matcher>();
  const auto text = [&](const char* name, std::string& into) -> Status {
    DRYDOCK_ASSIGN(auto value, json_find<std::string>(json, name, file));
    into = value.value_or("");
    return {};
  };
  DRYDOCK_TRY(text("owner", matcher->owner));
  DRYDOCK_TRY(text("severity", matcher->severity));
  DRYDOCK_TRY(text("fromPath", matcher->from_path));
  if (matcher->owner.empty()) return wrong_matcher("Owner must not be empty");
  if (const auto severity = lower(matcher->severity);
      !severity.empty() && severity != "error" && severity != "warning" && severity != "notice") {
    return wrong_matcher("Matcher '" + matcher->owner + "' contains unexpected default severity '" + matcher->severity + "'");
  }
  if (const auto patterns = json.find("pattern"); patterns != json.end() && patterns->is_array()) {
    for (const auto& each : *patterns) {
      DRYDOCK_ASSIGN(auto pattern, read_pattern(each, file));
      matcher->patterns.push_back(std::move(pattern));
    }
  }
  DRYDOCK_TRY(check_patterns(*matcher));
  return std::shared_ptr<const Matcher>(std::move(matcher));
}

/// What a pattern's groups say, under what earlier patterns of the matcher have said.
MatchedProblem problem_of(const MatcherPattern& pattern, const std::vector<std::string>& groups, const std::optional<MatchedProblem>& before) {
  MatchedProblem problem = before.value_or(MatchedProblem());
  for (const auto& property : k_properties) {
    auto& text = problem.*property.text;
    const auto& group = pattern.*property.group;
    if (!text && group && *group < groups.size()) text = groups[*group];
  }
  return problem;
}

bool is_blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == std::string::npos; }

std::string host_of(const std::string& server) {
  const auto start = server.find("://");
  const auto host = start == std::string::npos ? server : server.substr(start + 3);
  return host.substr(0, host.find_first_of(":/"));
}

/// Whether a line of a git configuration is the address of the workflow's repository.
bool names_repository(std::string line, const std::string& server, const std::string& repository) {
  const auto begin = line.find_first_not_of(" \t");
  if (begin == std::string::npos) return false;
  line = lower(line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1));
  if (!line.starts_with("url = ")) return false;
  if (line.ends_with(".git")) line.resize(line.size() - 4);
  return line == lower("url = " + server + "/" + repository) || line == lower("url = git@" + host_of(server) + ":" + repository);
}

/// The nearest working tree above a file, when it is the workflow's.
std::optional<fs::path> repository_above(const fs::path& file, const std::string& server, const std::string& repository) {
  for (fs::path directory = file.parent_path(); directory.has_relative_path(); directory = directory.parent_path()) {
    const auto config = read_file_if_exists((directory / ".git/config").string());
    if (!config || !*config) continue;
    std::string_view rest = **config;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      if (names_repository(std::string(rest.substr(0, end)), server, repository)) return directory;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

void LinePattern::Freed::operator()(void* code) const { pcre2_code_free(static_cast<pcre2_code*>(code)); }

Result<LinePattern> LinePattern::compile(const std::string& expression) {
  int error = 0;
  PCRE2_SIZE at = 0;
  auto* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                             PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF, &error, &at, nullptr);
  if (!code) return wrong_matcher("Invalid pattern '" + expression + "' at offset " + std::to_string(at) + ". " + pcre_message(error));
  LinePattern pattern;
  pattern.code_ = std::shared_ptr<void>(code, Freed());
  pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &pattern.groups_);
  ++pattern.groups_;
  return pattern;
}

Result<std::optional<std::vector<std::string>>> LinePattern::match(std::string_view line) const {
  const auto* code = static_cast<const pcre2_code*>(code_.get());
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data(
      pcre2_match_data_create_from_pattern(code, nullptr), &pcre2_match_data_free);
  const int count = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(line.data()), line.size(), 0, 0, data.get(), nullptr);
  if (count == PCRE2_ERROR_NOMATCH) return std::optional<std::vector<std::string>>();
  if (count < 0) return make_error(ErrorCode::failed, pcre_message(count));
  const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(data.get());
  std::vector<std::string> groups(groups_);
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(count); ++i) {
    if (ends[2 * i] != PCRE2_UNSET) groups[i] = line.substr(ends[2 * i], ends[2 * i + 1] - ends[2 * i]);
  }
  return std::optional(std::move(groups));
}

Result<Matchers> parse_matchers(std::string_view text, const std::string& file) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  DRYDOCK_ASSIGN(const Json json, parse_json(text, file));
  Matchers matchers;
  const auto list = json.is_object() ? json.find("problemMatcher") : json.end();
  if (!json.is_object() || list == json.end() || !list->is_array()) return matchers;
  std::set<std::string> owners;
  for (const auto& each : *list) {
    DRYDOCK_ASSIGN(auto matcher, read_matcher(each, file));
    if (!owners.insert(lower(matcher->owner)).second) return wrong_matcher("Duplicate owner name '" + matcher->owner + "'");
    matchers.push_back(std::move(matcher));
  }
  return matchers;
}

MatcherState::MatcherState(std::shared_ptr<const Matcher> matcher) : matcher_(std::move(matcher)) { reset(); }

void MatcherState::reset() { running_.assign(matcher_->patterns.size() - 1, std::nullopt); }

Result<std::optional<MatchedProblem>> MatcherState::feed(std::string_view line) {
  const auto& patterns = matcher_->patterns;
  // The last pattern first: one line may end a problem and begin the next.
  for (std::size_t i = patterns.size(); i-- > 0;) {
    const std::optional<MatchedProblem> before = i > 0 ? running_[i - 1] : std::nullopt;
    if (i > 0 && !before) continue;
    const bool last = i + 1 == patterns.size();
    DRYDOCK_ASSIGN(const auto groups, patterns[i].expression.match(line));
    if (!groups) {
      if (!last) running_[i].reset();
      else if (i > 0) running_[i - 1].reset();
      continue;
    }
    MatchedProblem problem = problem_of(patterns[i], *groups, before);
    if (!last) {
      running_[i] = std::move(problem);
      continue;
    }
    reset();
    if (patterns[i].loop) running_[i - 1] = before;
    if (problem.severity.value_or("").empty() && !matcher_->severity.empty()) problem.severity = matcher_->severity;
    if (problem.from_path.value_or("").empty() && !matcher_->from_path.empty()) problem.from_path = matcher_->from_path;
    return std::optional(std::move(problem));
  }
  return std::optional<MatchedProblem>();
}

void ProblemMatchers::add(const Matchers& matchers) {
  std::set<std::string> owners;
  for (const auto& matcher : matchers) owners.insert(lower(matcher->owner));
  const std::lock_guard lock(mutex_);
  std::erase_if(matchers_, [&](const auto& matcher) { return owners.contains(lower(matcher->owner)); });
  matchers_.insert(matchers_.begin(), matchers.begin(), matchers.end());
  ++version_;
}

void ProblemMatchers::remove(const std::vector<std::string>& owners) {
  std::set<std::string> gone;
  for (const auto& owner : owners) gone.insert(lower(owner));
  const std::lock_guard lock(mutex_);
  std::erase_if(matchers_, [&](const auto& matcher) { return gone.contains(lower(matcher->owner)); });
  ++version_;
}

void ProblemMatchers::remove(const std::shared_ptr<const Matcher>& matcher) {
  const std::lock_guard lock(mutex_);
  std::erase(matchers_, matcher);
  ++version_;
}

void ProblemMatchers::update(std::vector<MatcherState>& states, std::uint64_t& seen) const {
  const std::lock_guard lock(mutex_);
  if (seen == version_) return;
  std::vector<MatcherState> next;
  for (const auto& matcher : matchers_) {
    const auto old = std::find_if(states.begin(), states.end(), [&](const auto& state) { return state.matcher() == matcher; });
    if (old != states.end()) next.push_back(std::move(*old));
    else next.emplace_back(matcher);
  }
  states = std::move(next);
  seen = version_;
}

std::optional<std::string> ProblemMatchers::file_of(const MatchedProblem& problem) const {
  if (!problem.file || is_blank(*problem.file)) return std::nullopt;
  fs::path file = *problem.file;
  if (problem.from_path && !is_blank(*problem.from_path) && file.is_relative()) {
    file = fs::path(*problem.from_path).parent_path() / file;
  }
  file = (fs::path(workspace_) / file).lexically_normal();
  std::error_code none;
  if (!fs::is_regular_file(file, none)) return std::nullopt;
  const auto root = repository_above(file, server_, repository_);
  if (!root) return std::nullopt;
  return file.lexically_relative(*root).string();
}

std::string without_colours(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) != "\x1b[") {
      out += text[i];
      continue;
    }
    i += 2;
    while (i < text.size() && (std::isdigit(static_cast<unsigned char>(text[i])) || text[i] == ';')) ++i;
    if (i >= text.size() || text[i] != 'm') --i;
  }
  return out;
}

}  // namespace drydock::step
