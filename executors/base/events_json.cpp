#include <array>

#include "executors/base/events.h"
#include "executors/base/json.h"
#include "executors/base/time.h"

namespace drydock {
namespace {

constexpr int k_schema = 1;

template <class E>
struct Name {
  E value;
  std::string_view name;
};

constexpr std::array k_kinds = std::to_array<Name<EventKind>>({
    {EventKind::run_started, "run_started"},
    {EventKind::run_finished, "run_finished"},
    {EventKind::job_started, "job_started"},
    {EventKind::job_finished, "job_finished"},
    {EventKind::step_started, "step_started"},
    {EventKind::step_finished, "step_finished"},
    {EventKind::build_started, "build_started"},
    {EventKind::build_finished, "build_finished"},
    {EventKind::vertex_started, "vertex_started"},
    {EventKind::vertex_finished, "vertex_finished"},
    {EventKind::progress, "progress"},
    {EventKind::log, "log"},
    {EventKind::message, "message"},
    {EventKind::group_started, "group_started"},
    {EventKind::group_finished, "group_finished"},
    {EventKind::leg_finished, "leg_finished"},
    {EventKind::published, "published"},
});
constexpr std::array k_outcomes = std::to_array<Name<Outcome>>({
    {Outcome::none, "none"},
    {Outcome::success, "success"},
    {Outcome::failure, "failure"},
    {Outcome::cancelled, "cancelled"},
    {Outcome::skipped, "skipped"},
});
constexpr std::array k_caches = std::to_array<Name<CacheState>>({
    {CacheState::none, "none"},
    {CacheState::hit, "hit"},
    {CacheState::miss, "miss"},
});
constexpr std::array k_executions = std::to_array<Name<Execution>>({
    {Execution::none, "none"},
    {Execution::native, "native"},
    {Execution::emulated, "emulated"},
    {Execution::remote, "remote"},
});
constexpr std::array k_levels = std::to_array<Name<Level>>({
    {Level::debug, "debug"},
    {Level::notice, "notice"},
    {Level::warning, "warning"},
    {Level::error, "error"},
});

template <class Table, class E>
std::string_view find_name(const Table& table, E value) {
  for (const auto& row : table) {
    if (row.value == value) return row.name;
  }
  return "unknown";
}

template <class Table, class E>
bool read_name(const Table& table, const Json& json, const char* key, E& value, std::string& why) {
  const auto found = json.find(key);
  if (found == json.end()) return true;
  const auto text = found->is_string() ? found->get<std::string>() : std::string();
  for (const auto& row : table) {
    if (row.name == text) {
      value = row.value;
      return true;
    }
  }
  why = std::string("unknown ") + key + " \"" + text + "\"";
  return false;
}

}  // namespace

std::string_view name_of(EventKind kind) {
  return find_name(k_kinds, kind);
}
std::string_view name_of(Outcome outcome) {
  return find_name(k_outcomes, outcome);
}
std::string_view name_of(CacheState state) {
  return find_name(k_caches, state);
}
std::string_view name_of(Execution execution) {
  return find_name(k_executions, execution);
}
std::string_view name_of(Level level) {
  return find_name(k_levels, level);
}

Json to_json(const Event& event) {
  Json json = {{"schema", k_schema},
               {"kind", name_of(event.kind)},
               {"time", format_rfc3339(event.time, TimePrecision::milliseconds)}};
  const auto text = [&json](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  text("job", event.job);
  text("step", event.step);
  text("vertex", event.vertex);
  text("leg", event.leg);
  text("name", event.name);
  text("text", event.text);
  if (event.outcome != Outcome::none) json["outcome"] = name_of(event.outcome);
  if (event.cache != CacheState::none) json["cache"] = name_of(event.cache);
  text("cache_reason", event.cache_reason);
  if (event.execution != Execution::none) json["execution"] = name_of(event.execution);
  if (event.kind == EventKind::message) json["level"] = name_of(event.level);
  if (event.kind == EventKind::log) json["stream"] = event.stream == Stream::err ? "stderr" : "stdout";
  text("file", event.place.file);
  if (event.place.line) json["line"] = event.place.line;
  if (event.place.column) json["column"] = event.place.column;
  if (event.current) json["current"] = event.current;
  if (event.total) json["total"] = event.total;
  if (event.elapsed.count()) json["elapsed_ms"] = event.elapsed.count();
  text("digest", event.digest);
  text("reference", event.reference);
  return json;
}

bool from_json(const Json& json, Event& event, std::string& why) {
  event = {};
  if (!json.is_object()) {
    why = "an event must be an object";
    return false;
  }
  if (const int schema = json_or(json, "schema", 0); schema != k_schema) {
    why = "unknown schema " + std::to_string(schema) + " of an event";
    return false;
  }
  if (!json.contains("kind")) {
    why = "an event without kind";
    return false;
  }
  if (!read_name(k_kinds, json, "kind", event.kind, why) ||
      !read_name(k_outcomes, json, "outcome", event.outcome, why) ||
      !read_name(k_caches, json, "cache", event.cache, why) ||
      !read_name(k_executions, json, "execution", event.execution, why) ||
      !read_name(k_levels, json, "level", event.level, why)) {
    return false;
  }
  auto time = parse_rfc3339(json_or(json, "time", std::string()));
  if (!time.ok()) {
    why = time.error().message;
    return false;
  }
  event.time = *time;
  const auto text = [&json](const char* key) { return json_or(json, key, std::string()); };
  event.job = text("job");
  event.step = text("step");
  event.vertex = text("vertex");
  event.leg = text("leg");
  event.name = text("name");
  event.text = text("text");
  event.cache_reason = text("cache_reason");
  event.stream = text("stream") == "stderr" ? Stream::err : Stream::out;
  event.place = {text("file"), json_or(json, "line", 0), json_or(json, "column", 0)};
  event.current = json_or<std::int64_t>(json, "current", 0);
  event.total = json_or<std::int64_t>(json, "total", 0);
  event.elapsed = std::chrono::milliseconds(json_or<std::int64_t>(json, "elapsed_ms", 0));
  event.digest = text("digest");
  event.reference = text("reference");
  return true;
}

}  // namespace drydock
