#include "executors/actions/cache_client.h"
#include "executors/actions/native_forms.h"
#include "executors/actions/text.h"
#include "executors/actions/version.h"
#include "executors/base/text.h"

namespace drydock::actions {
namespace {

using step::InputDeclaration;

constexpr Majors k_cache_majors{2, 5};
constexpr const char* k_primary = "CACHE_KEY";
constexpr const char* k_matched = "CACHE_RESULT";

bool is_true(const step::ActionContext& context, std::string_view name) { return lower(context.input(name)) == "true"; }

/// Lines; "! path" is "!path".
std::vector<std::string> lines_of(const step::ActionContext& context, std::string_view name) {
  std::vector<std::string> lines;
  for (auto line : context.input_lines(name)) {
    if (line.starts_with('!')) line = "!" + trimmed(line.substr(1));
    lines.push_back(std::move(line));
  }
  return lines;
}

/// False, with the original's words in the log, where no cache can be used at all.
bool usable(step::ActionContext& context) {
  if (context.variable("ACTIONS_RESULTS_URL").empty()) {
    context.info("[warning]An internal error has occurred in cache backend. Please check https://www.githubstatus.com/ for any ongoing issue in actions.");
    return false;
  }
  if (context.variable("GITHUB_REF").empty()) {
    context.info("[warning]Event Validation Error: The event type " + context.variable("GITHUB_EVENT_NAME") +
                 " is not supported because it's not tied to a branch or tag ref.");
    return false;
  }
  return true;
}

bool same_key(const std::string& a, const std::string& b) { return !b.empty() && lower(a) == lower(b); }

enum class Keep { state, outputs };  // where main leaves the keys: for the post step, or for later steps

Status restore(step::ActionContext& context, Keep keep) {
  const auto leave = [&](const char* state, const char* output, const std::string& value) {
    if (keep == Keep::state) context.save_state(state, value);
    else context.set_output(output, value);
  };
  if (!usable(context)) {
    context.set_output("cache-hit", "false");
    return {};
  }
  CacheRequest request;
  DRYDOCK_ASSIGN(request.key, context.required_input("key"));
  leave(k_primary, "cache-primary-key", request.key);
  DRYDOCK_ASSIGN(const auto given, context.required_input("path"));
  (void)given;
  request.paths = lines_of(context, "path");
  request.restore_keys = lines_of(context, "restore-keys");
  request.lookup_only = is_true(context, "lookup-only");
  DRYDOCK_ASSIGN(const auto found, restore_cache(context, request));
  if (!found) {
    if (is_true(context, "fail-on-cache-miss")) {
      return make_error(ErrorCode::failed, "Failed to restore cache entry. Exiting as fail-on-cache-miss is set. Input key: " + request.key);
    }
    auto keys = request.restore_keys;
    keys.insert(keys.begin(), request.key);
    context.info("Cache not found for input keys: " + join(keys, ", "));
    return {};
  }
  leave(k_matched, "cache-matched-key", *found);
  context.set_output("cache-hit", same_key(request.key, *found) ? "true" : "false");
  context.info((request.lookup_only ? "Cache found and can be restored from key: " : "Cache restored from key: ") + *found);
  return {};
}

/// Never fails a job: what goes wrong is told. False when it should have been saved and was not.
bool save(step::ActionContext& context) {
  if (!usable(context)) return true;
  CacheRequest request;
  request.key = context.state(k_primary).empty() ? context.input("key") : context.state(k_primary);
  if (request.key.empty()) {
    context.info("[warning]Key is not specified.");
    return true;
  }
  if (same_key(request.key, context.state(k_matched))) {
    context.info("Cache hit occurred on the primary key " + request.key + ", not saving cache.");
    return true;
  }
  request.paths = lines_of(context, "path");
  const auto saved = save_cache(context, request);
  if (!saved) context.info("[warning]" + saved.error().message);
  if (saved.ok() && *saved) context.info("Cache saved with key: " + request.key);
  return saved.ok() && *saved;
}

const InputDeclaration k_path{.name = "path", .required = true};
const InputDeclaration k_key{.name = "key", .required = true};
const InputDeclaration k_restore_keys{.name = "restore-keys"};
const InputDeclaration k_chunk{.name = "upload-chunk-size"};
const InputDeclaration k_cross_os{.name = "enableCrossOsArchive", .default_value = "false"};
const InputDeclaration k_fail{.name = "fail-on-cache-miss", .default_value = "false"};
const InputDeclaration k_lookup{.name = "lookup-only", .default_value = "false"};

class Cache : public step::NativeAction {
 public:
  std::string_view name() const override { return "actions/cache"; }
  Status serves(std::string_view version) const override { return serves_majors(name(), version, k_cache_majors); }
  const std::vector<InputDeclaration>& inputs() const override {
    static const std::vector<InputDeclaration> declared{
        k_path, k_key, k_restore_keys, k_chunk, k_cross_os, k_fail, k_lookup,
        {.name = "save-always", .default_value = "false",
         .deprecation = "save-always does not work as intended and will be removed in a future release."}};
    return declared;
  }
  const std::vector<std::string>& outputs() const override {
    static const std::vector<std::string> names{"cache-hit"};
    return names;
  }
  step::PostStep post_step() const override { return step::PostStep::on_success; }
  Status main(step::ActionContext& context) const override { return restore(context, Keep::state); }
  Status post(step::ActionContext& context) const override {
    (void)save(context);
    return {};
  }
};

class RestoreCache : public step::NativeAction {
 public:
  std::string_view name() const override { return "actions/cache/restore"; }
  Status serves(std::string_view version) const override { return serves_majors(name(), version, k_cache_majors); }
  const std::vector<InputDeclaration>& inputs() const override {
    static const std::vector<InputDeclaration> declared{k_path, k_key, k_restore_keys, k_cross_os, k_fail, k_lookup};
    return declared;
  }
  const std::vector<std::string>& outputs() const override {
    static const std::vector<std::string> names{"cache-hit", "cache-primary-key", "cache-matched-key"};
    return names;
  }
  Status main(step::ActionContext& context) const override { return restore(context, Keep::outputs); }
};

class SaveCache : public step::NativeAction {
 public:
  std::string_view name() const override { return "actions/cache/save"; }
  Status serves(std::string_view version) const override { return serves_majors(name(), version, k_cache_majors); }
  const std::vector<InputDeclaration>& inputs() const override {
    static const std::vector<InputDeclaration> declared{k_path, k_key, k_chunk, k_cross_os};
    return declared;
  }
  const std::vector<std::string>& outputs() const override {
    static const std::vector<std::string> none;
    return none;
  }
  Status main(step::ActionContext& context) const override {
    if (!save(context)) context.warning("Cache save failed.");
    return {};
  }
};

}  // namespace

NativeForm make_cache() { return std::make_shared<Cache>(); }
NativeForm make_restore_cache() { return std::make_shared<RestoreCache>(); }
NativeForm make_save_cache() { return std::make_shared<SaveCache>(); }

}  // namespace drydock::actions
