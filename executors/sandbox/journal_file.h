#pragma once
// The journal's file format, schema 1: a header line with the owner, then one line for each entry and one for each
// entry undone. A last line cut short is ignored. Internal to the sandbox.

#include <optional>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "executors/sandbox/journal.h"

namespace drydock::sandbox {

struct JournalText {
  Owner owner;
  std::vector<JournalEntry> held;  // not yet undone, oldest first
};

nlohmann::json journal_header(const Owner& owner);
nlohmann::json journal_line(std::uint64_t number, const JournalEntry& entry);
/// Nothing for an unknown schema or a file without a header.
std::optional<JournalText> parse_journal(std::string_view text);

}  // namespace drydock::sandbox
