#include "executors/sandbox/journal_file.h"

#include <map>
#include <sstream>

#include <nlohmann/json.hpp>

namespace drydock::sandbox {
namespace {

constexpr int k_schema = 1;

std::optional<Held> held_from(std::string_view name) {
  for (const auto kind :
       {Held::mount, Held::name_space, Held::container, Held::port, Held::directory, Held::binfmt}) {
    if (name == name_of(kind)) return kind;
  }
  return std::nullopt;
}

}  // namespace

nlohmann::json journal_header(const Owner& owner) {
  return {{"schema", k_schema},
          {"pid", owner.pid},
          {"start_time", owner.start_time},
          {"boot_id", owner.boot_id},
          {"mount_namespace", owner.mount_namespace}};
}

nlohmann::json journal_line(std::uint64_t number, const JournalEntry& entry) {
  return {{"hold", number}, {"kind", name_of(entry.kind)}, {"name", entry.name}, {"attributes", entry.attributes}};
}

std::optional<JournalText> parse_journal(std::string_view text) {
  std::istringstream lines{std::string(text)};
  JournalText result;
  std::map<std::uint64_t, JournalEntry> held;
  bool header = false;
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object()) continue;
    try {
      if (!header) {
        if (json.at("schema").get<int>() != k_schema) return std::nullopt;
        result.owner = {json.at("pid").get<std::int64_t>(), json.at("start_time").get<std::uint64_t>(),
                        json.at("boot_id").get<std::string>(), json.at("mount_namespace").get<std::string>()};
        header = true;
      } else if (json.contains("gone")) {
        held.erase(json.at("gone").get<std::uint64_t>());
      } else if (const auto kind = held_from(json.at("kind").get<std::string>())) {
        held[json.at("hold").get<std::uint64_t>()] = {*kind, json.at("name").get<std::string>(),
                                                      json.at("attributes").get<std::map<std::string, std::string>>()};
      }
    } catch (const nlohmann::json::exception&) {
      if (!header) return std::nullopt;
    }
  }
  if (!header) return std::nullopt;
  for (auto& [number, entry] : held) result.held.push_back(std::move(entry));
  return result;
}

}  // namespace drydock::sandbox
