#pragma once
// Webhooks: the events that start workflows and their activity types, as GitHub documents them. Constant
// data.

#include <string_view>

namespace drydock::parser::lint {

struct Webhook {
  std::string_view name;
  std::string_view types;  // separated by blanks; empty: the event has none
};

const Webhook* find_webhook(std::string_view name);

/// workflow_dispatch, workflow_call and the like, which have sections of their own.
bool is_special_event(std::string_view name);

bool contains_type(std::string_view types, std::string_view type);

/// Whether a filter (branches, tags, paths and their -ignore forms) works for the event.
bool allows_filter(std::string_view event, std::string_view filter);

}  // namespace drydock::parser::lint
