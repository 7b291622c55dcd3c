#include "executors/build/history_text.h"

#include <cstdio>

namespace drydock::build {

namespace {

constexpr const char* k_with_layer = " # buildkit";

std::string quoted(const std::string& word) {
  std::string text = "\"";
  for (const char c : word) {
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\t') {
      text += "\\t";
    } else {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
  }
  return text + "\"";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

/// As Go prints a duration: "0s", "250ms", "1.5s", "1m30s", "2h0m0s".
std::string duration_text(std::int64_t nanoseconds) {
  if (nanoseconds == 0) return "0s";
  if (nanoseconds < 1'000'000'000) {
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", static_cast<double>(nanoseconds) / 1e6);
    return std::string(text) + "ms";
  }
  const auto whole = nanoseconds / 1'000'000'000;
  auto seconds = std::to_string(whole % 60);
  if (const auto rest = nanoseconds % 1'000'000'000; rest != 0) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "%09lld", static_cast<long long>(rest));
    std::string fraction = digits;
    fraction.erase(fraction.find_last_not_of('0') + 1);
    seconds += "." + fraction;
  }
  std::string text;
  if (whole >= 3600) text += std::to_string(whole / 3600) + "h";
  if (whole >= 60) text += std::to_string(whole / 60 % 60) + "m";
  return text + seconds + "s";
}

}  // namespace

std::string pairs_history(const char* keyword, const std::vector<parser::dockerfile::KeyValue>& pairs) {
  std::string text = keyword;
  for (const auto& pair : pairs) text += " " + pair.key + "=" + pair.value;
  return text;
}

std::string arg_history(const std::vector<parser::dockerfile::ArgBinding>& bindings) {
  std::string text = "ARG";
  for (const auto& binding : bindings)
    text += " " + binding.name + (binding.value ? "=" + *binding.value : "");
  return text;
}

std::string run_history(const std::vector<std::pair<std::string, std::string>>& args,
                        const std::vector<std::string>& arguments) {
  std::string text = "RUN ";
  if (!args.empty()) text += "|" + std::to_string(args.size()) + " ";
  for (const auto& [name, value] : args) text += name + "=" + value + " ";
  return text + joined(arguments) + k_with_layer;
}

std::string transfer_history(const char* keyword, const parser::dockerfile::Transfer& transfer,
                             bool parents) {
  std::string text = keyword;
  if (parents) text += " --parents";
  if (!transfer.chown.empty()) text += " --chown=" + transfer.chown;
  if (!transfer.chmod.empty()) text += " --chmod=" + transfer.chmod;
  for (const auto& source : transfer.sources) text += " " + source;
  for (const auto& file : transfer.files) text += " <<" + file.name;
  return text + " " + transfer.destination + k_with_layer;
}

std::string list_history(const char* keyword, const std::vector<std::string>& words) {
  return std::string(keyword) + " [" + joined(words) + "]";
}

std::string quoted_history(const char* keyword, const std::vector<std::string>& words) {
  std::vector<std::string> texts;
  for (const auto& word : words) texts.push_back(quoted(word));
  return list_history(keyword, texts);
}

std::string healthcheck_history(const oci::Healthcheck& check) {
  return "HEALTHCHECK {Test:[" + joined(check.test) + "] Interval:" + duration_text(check.interval) +
         " Timeout:" + duration_text(check.timeout) + " StartPeriod:" + duration_text(check.start_period) +
         " StartInterval:" + duration_text(check.start_interval) +
         " Retries:" + std::to_string(check.retries) + "}";
}

}  // namespace drydock::build
