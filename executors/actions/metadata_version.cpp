#include <algorithm>
#include <cctype>
#include <optional>

#include "executors/actions/js_regex.h"
#include "executors/actions/metadata_core.h"
#include "executors/actions/pep440.h"
#include "executors/actions/semver.h"
#include "executors/actions/text.h"

namespace drydock::actions::metadata {
namespace {

using handlebars::List;
using handlebars::Object;
using handlebars::Value;

constexpr std::string_view k_heads = "refs/heads/", k_tags = "refs/tags/", k_pulls = "refs/pull/";

class VersionFinder {
 public:
  VersionFinder(const Flavor& flavor, const Happening& happening, const RepositoryFacts& repository,
                const std::string& short_sha_length, std::vector<std::string>& warnings)
      : flavor_(flavor), happening_(happening), repository_(repository), short_sha_length_(short_sha_length),
        warnings_(warnings), globals_(expressions(happening, short_sha_length, warnings)) {}

  Status apply(const TagRule& tag) {
    DRYDOCK_ASSIGN(const auto enabled, global(tag.at("enable")));
    if (enabled != "true" && enabled != "false") {
      return make_error(ErrorCode::usage, "Invalid value for enable attribute: " + enabled);
    }
    if (enabled == "false") return {};
    if (tag.type == "schedule") return schedule(tag);
    if (tag.type == "semver") return semver(tag);
    if (tag.type == "pep440") return pep440(tag);
    if (tag.type == "match") return match(tag);
    if (tag.type == "edge") return edge(tag);
    if (tag.type == "ref") return ref(tag);
    if (tag.type == "raw") return raw(tag);
    return sha(tag);
  }

  Version finish() {
    std::vector<std::string> once;
    for (auto& each : version_.partial) {
      if (std::find(once.begin(), once.end(), each) == once.end()) once.push_back(std::move(each));
    }
    version_.partial = std::move(once);
    version_.latest = latest_.value_or(false);
    return std::move(version_);
  }

 private:
  Result<std::string> global(const std::string& text) { return handlebars::render(text, globals_); }

  std::string behind(std::string_view prefix) const { return happening_.ref.substr(prefix.size()); }

  /// The value between its own prefix and suffix, or else the flavor's.
  Result<std::string> dressed(const std::string& value, const TagRule& tag) {
    DRYDOCK_ASSIGN(const auto prefix, global(tag.has("prefix") ? tag.at("prefix") : flavor_.prefix));
    DRYDOCK_ASSIGN(const auto suffix, global(tag.has("suffix") ? tag.at("suffix") : flavor_.suffix));
    return prefix + value + suffix;
  }

  enum class Latest { no, yes };
  /// `automatic` holds with the flavor latest=auto.
  Status add(const std::string& value, const TagRule& tag, Latest automatic) {
    DRYDOCK_ASSIGN(const auto text, dressed(value, tag));
    if (text.empty()) return {};
    auto name = sanitized_tag(text);
    if (version_.main.empty()) {
      version_.main = std::move(name);
    } else if (name != version_.main) {
      version_.partial.push_back(std::move(name));
    }
    if (!latest_) latest_ = flavor_.latest == "auto" ? automatic == Latest::yes : flavor_.latest == "true";
    return {};
  }

  /// The attribute value, or else the tag that was pushed; nothing on a branch.
  Result<std::optional<std::string>> value_of(const TagRule& tag) {
    if (!tag.at("value").empty()) {
      DRYDOCK_ASSIGN(auto text, global(tag.at("value")));
      return std::optional(std::move(text));
    }
    if (!happening_.ref.starts_with(k_tags)) return std::optional<std::string>();
    return std::optional(behind(k_tags));
  }

  /// Cut by the attribute match, and without slashes.
  Result<std::string> matched(std::string text, const TagRule& tag) {
    if (const auto& pattern = tag.at("match"); !pattern.empty()) {
      DRYDOCK_ASSIGN(const auto found, js_match(text, pattern));
      if (!found) {
        warnings_.push_back(pattern + " does not match " + text + ".");
      } else if (found->size() < 2 || !(*found)[1]) {
        return make_error(ErrorCode::usage, "match=" + pattern + " has no group that matched", "put the version into parentheses");
      } else {
        text = *(*found)[1];
      }
    }
    std::replace(text.begin(), text.end(), '/', '-');
    return text;
  }

  Status schedule(const TagRule& tag) {
    if (happening_.event_name.find("schedule") == std::string::npos) return {};
    const Object dates{{"date", globals_.at("date")}, {"commit_date", globals_.at("commit_date")}};
    DRYDOCK_ASSIGN(const auto text, handlebars::render(tag.at("pattern"), dates));
    return add(text, tag, Latest::no);
  }

  Status semver(const TagRule& tag) {
    DRYDOCK_ASSIGN(auto value, value_of(tag));
    if (!value) return {};
    DRYDOCK_ASSIGN(const auto text, matched(std::move(*value), tag));
    const auto parsed = parse_semver(text);
    if (!parsed) {
      warnings_.push_back(text + " is not a valid semver. More info: https://semver.org/");
      return {};
    }
    List prerelease, build;
    for (const auto& each : parsed->prerelease) prerelease.emplace_back(each);
    for (const auto& each : parsed->build) build.emplace_back(each);
    const Object parts{{"raw", parsed->raw}, {"version", parsed->version()}, {"major", parsed->major}, {"minor", parsed->minor},
                       {"patch", parsed->patch}, {"prerelease", prerelease}, {"build", build}, {"loose", true},
                       {"includePrerelease", false}};
    const auto& pattern = tag.at("pattern");
    const bool stable = parsed->prerelease.empty();
    DRYDOCK_ASSIGN(const auto shown, handlebars::render(stable || handlebars::is_only(pattern, "raw") ? pattern : "{{version}}", parts));
    return add(shown, tag, stable ? Latest::yes : Latest::no);
  }

  Status pep440(const TagRule& tag) {
    DRYDOCK_ASSIGN(auto value, value_of(tag));
    if (!value) return {};
    DRYDOCK_ASSIGN(const auto text, matched(std::move(*value), tag));
    const auto parsed = parse_pep440(text);
    if (!parsed) {
      warnings_.push_back(text + " does not conform to PEP 440. More info: https://www.python.org/dev/peps/pep-0440");
      return {};
    }
    const auto& pattern = tag.at("pattern");
    if (!parsed->is_final()) return add(handlebars::is_only(pattern, "raw") ? text : parsed->clean(), tag, Latest::no);
    const Object parts{{"raw", text}, {"version", parsed->clean()}, {"major", parsed->part(0)},
                       {"minor", parsed->part(1)}, {"patch", parsed->part(2)}};
    DRYDOCK_ASSIGN(const auto shown, handlebars::render(pattern, parts));
    return add(shown, tag, Latest::yes);
  }

  Status match(const TagRule& tag) {
    DRYDOCK_ASSIGN(const auto value, value_of(tag));
    if (!value) return {};
    auto pattern = tag.at("pattern");
    std::string flags;
    const auto last = pattern.rfind('/');
    if (pattern.starts_with('/') && last > 1 && last != std::string::npos) {
      flags = pattern.substr(last + 1);
      pattern = pattern.substr(1, last - 1);
    }
    DRYDOCK_ASSIGN(const auto found, js_match(*value, pattern, flags));
    if (!found) {
      warnings_.push_back(tag.at("pattern") + " does not match " + *value + ".");
      return {};
    }
    const auto& group = tag.at("group");
    const bool index = !group.empty() && group.size() < 4 && group.find_first_not_of("0123456789") == std::string::npos &&
                       (group.size() == 1 || group[0] != '0');
    const auto position = index ? std::stoul(group) : found->size();
    if (position >= found->size() || !(*found)[position]) {
      warnings_.push_back("Group " + group + " does not exist for " + tag.at("pattern") + " pattern.");
      return {};
    }
    return add(*(*found)[position], tag, Latest::yes);
  }

  Status edge(const TagRule& tag) {
    if (!happening_.ref.starts_with(k_heads)) return {};
    const auto& branch = tag.at("branch").empty() ? repository_.default_branch : tag.at("branch");
    return branch == behind(k_heads) ? add("edge", tag, Latest::no) : Status();
  }

  Status ref(const TagRule& tag) {
    const auto& event = tag.at("event");
    if (event == "branch" && happening_.ref.starts_with(k_heads)) return add(behind(k_heads), tag, Latest::no);
    if (event == "tag" && happening_.ref.starts_with(k_tags)) return add(behind(k_tags), tag, Latest::yes);
    if (event == "pr" && happening_.ref.starts_with(k_pulls)) {
      auto number = behind(k_pulls);
      if (number.ends_with("/merge")) number.erase(number.size() - 6);
      return add(number, tag, Latest::no);
    }
    return {};
  }

  Status raw(const TagRule& tag) {
    DRYDOCK_ASSIGN(const auto value, global(tag.at("value")));
    return add(value, tag, Latest::no);
  }

  Status sha(const TagRule& tag) {
    if (happening_.sha.empty()) return {};
    auto value = happening_.sha;
    if (tag.at("format") == "short") {
      DRYDOCK_ASSIGN(value, short_sha(value, short_sha_length_));
    }
    return add(value, tag, Latest::no);
  }

  const Flavor& flavor_;
  const Happening& happening_;
  const RepositoryFacts& repository_;
  const std::string& short_sha_length_;
  std::vector<std::string>& warnings_;
  Object globals_;
  Version version_;
  std::optional<bool> latest_;
};

}  // namespace

std::string sanitized_tag(const std::string& tag) {
  std::string out;
  bool replaced = false;
  for (const char c : tag) {
    const bool kept = std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
    if (kept) out += c;
    if (!kept && !replaced) out += '-';
    replaced = !kept;
  }
  return out;
}

Result<Version> find_version(const std::vector<TagRule>& tags, const Flavor& flavor, const Happening& happening,
                             const RepositoryFacts& repository, const std::string& short_sha_length,
                             std::vector<std::string>& warnings) {
  VersionFinder finder(flavor, happening, repository, short_sha_length, warnings);
  for (const auto& tag : tags) DRYDOCK_TRY(finder.apply(tag));
  return finder.finish();
}

}  // namespace drydock::actions::metadata
