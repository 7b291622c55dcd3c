#include "parser/lint/format.h"

#include "parser/lint/lint.h"

#include <nlohmann/json.hpp>

namespace drydock::parser::lint {

namespace {

using Json = nlohmann::ordered_json;

const char* name_of(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::note:
      break;
  }
  return "note";
}

std::string with_mend(const Diagnostic& finding) {
  return finding.mend.empty() ? finding.message : finding.message + " (" + finding.mend + ")";
}

/// Invalid UTF-8 of the user's file must not end the printing.
std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

/// Escapes of workflow commands: %, line ends, and in properties also : and ,.
std::string escaped(std::string_view text, bool property) {
  std::string result;
  for (const char c : text) {
    const bool special = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
    if (!special) {
      result += c;
      continue;
    }
    constexpr char k_digits[] = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    result += '%';
    result += k_digits[byte >> 4];
    result += k_digits[byte & 15];
  }
  return result;
}

}  // namespace

std::string format_text(const Diagnostics& findings, const Sources& sources) {
  std::string text;
  for (const auto& finding : findings) {
    const auto source = sources.find(finding.file);
    text += format_with_source(finding, source == sources.end() ? std::string_view{} : source->second) + "\n";
  }
  return text;
}

std::string format_json(const Diagnostics& findings) {
  Json list = Json::array();
  for (const auto& finding : findings) {
    list.push_back({{"file", finding.file},
                    {"line", finding.range.start.line},
                    {"column", finding.range.start.column},
                    {"rule", finding.rule},
                    {"severity", name_of(finding.severity)},
                    {"message", with_mend(finding)}});
  }
  return dump(list) + "\n";
}

std::string format_sarif(const Diagnostics& findings, const std::string& version) {
  Json known = Json::array();
  for (const auto& rule : rules()) {
    known.push_back({{"id", rule.name}, {"shortDescription", {{"text", rule.description}}}});
  }
  Json results = Json::array();
  for (const auto& finding : findings) {
    Json region;
    if (finding.range.start.line > 0) {
      region = {{"startLine", finding.range.start.line},
                {"startColumn", std::max(finding.range.start.column, 1)}};
    }
    Json place = {{"artifactLocation", {{"uri", finding.file}}}};
    if (!region.is_null()) place["region"] = region;
    results.push_back({{"ruleId", finding.rule},
                       {"level", name_of(finding.severity)},
                       {"message", {{"text", with_mend(finding)}}},
                       {"locations", Json::array({{{"physicalLocation", place}}})}});
  }
  const Json driver = {{"name", "drydock"}, {"version", version}, {"rules", known}};
  const Json run = {
      {"tool", {{"driver", driver}}}, {"columnKind", "unicodeCodePoints"}, {"results", results}};
  const Json log = {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                    {"version", "2.1.0"},
                    {"runs", Json::array({run})}};
  return dump(log) + "\n";
}

std::string format_github(const Diagnostics& findings) {
  std::string text;
  for (const auto& finding : findings) {
    const auto* command = finding.severity == Severity::error     ? "error"
                          : finding.severity == Severity::warning ? "warning"
                                                                  : "notice";
    text += std::string("::") + command + " file=" + escaped(finding.file, true) +
            ",line=" + std::to_string(finding.range.start.line) +
            ",col=" + std::to_string(finding.range.start.column) + ",title=" + escaped(finding.rule, true) +
            "::" + escaped(with_mend(finding), false) + "\n";
  }
  return text;
}

}  // namespace drydock::parser::lint
