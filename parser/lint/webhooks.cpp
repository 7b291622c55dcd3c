#include "parser/lint/webhooks.h"

#include <algorithm>
#include <array>

namespace drydock::parser::lint {

namespace {

constexpr std::string_view k_pull_request =
    "assigned unassigned labeled unlabeled opened edited closed reopened synchronize converted_to_draft "
    "locked unlocked "
    "enqueued dequeued milestoned demilestoned ready_for_review review_requested review_request_removed "
    "auto_merge_enabled auto_merge_disabled";

constexpr std::array k_webhooks = {
    Webhook{"branch_protection_rule", "created edited deleted"},
    Webhook{"check_run", "created rerequested completed requested_action"},
    Webhook{"check_suite", "completed"},
    Webhook{"create", ""},
    Webhook{"delete", ""},
    Webhook{"deployment", ""},
    Webhook{"deployment_status", ""},
    Webhook{"discussion",
            "created edited deleted transferred pinned unpinned labeled unlabeled locked unlocked "
            "category_changed answered unanswered"},
    Webhook{"discussion_comment", "created edited deleted"},
    Webhook{"fork", ""},
    Webhook{"gollum", ""},
    Webhook{"issue_comment", "created edited deleted"},
    Webhook{"issues",
            "opened edited deleted transferred pinned unpinned closed reopened assigned unassigned labeled "
            "unlabeled locked unlocked milestoned demilestoned typed untyped"},
    Webhook{"label", "created edited deleted"},
    Webhook{"member", "added edited deleted"},
    Webhook{"merge_group", "checks_requested"},
    Webhook{"milestone", "created closed opened edited deleted"},
    Webhook{"page_build", ""},
    Webhook{"project", "created updated closed reopened edited deleted"},
    Webhook{"project_card", "created moved converted edited deleted"},
    Webhook{"project_column", "created updated moved deleted"},
    Webhook{"public", ""},
    Webhook{"pull_request", k_pull_request},
    Webhook{"pull_request_comment", "created edited deleted"},
    Webhook{"pull_request_review", "submitted edited dismissed"},
    Webhook{"pull_request_review_comment", "created edited deleted"},
    Webhook{"pull_request_target", k_pull_request},
    Webhook{"push", ""},
    Webhook{"registry_package", "published updated"},
    Webhook{"release", "published unpublished created edited deleted prereleased released"},
    Webhook{"status", ""},
    Webhook{"watch", "started"},
    Webhook{"workflow_run", "completed requested in_progress"}};

}  // namespace

const Webhook* find_webhook(std::string_view name) {
  const auto* found =
      std::find_if(k_webhooks.begin(), k_webhooks.end(), [&](const Webhook& w) { return w.name == name; });
  return found == k_webhooks.end() ? nullptr : found;
}

bool is_special_event(std::string_view name) {
  return name == "workflow_dispatch" || name == "workflow_call" || name == "repository_dispatch" ||
         name == "image_version";
}

bool contains_type(std::string_view types, std::string_view type) {
  for (std::size_t begin = 0; begin < types.size();) {
    const auto end = std::min(types.find(' ', begin), types.size());
    if (types.substr(begin, end - begin) == type) return true;
    begin = end + 1;
  }
  return false;
}

bool allows_filter(std::string_view event, std::string_view filter) {
  const bool is_pull = event == "pull_request" || event == "pull_request_target";
  if (filter.starts_with("paths")) return is_pull || event == "push";
  if (filter.starts_with("tags")) return event == "push";
  return is_pull || event == "push" || event == "merge_group" || event == "workflow_run";
}

}  // namespace drydock::parser::lint
