#include "runner/cli/common.h"

#include <cstdlib>
#include <sstream>

#include "executors/base/fs.h"

namespace drydock::runner {

void Console::show(const Event& event) {
  const std::lock_guard lock(mutex_);
  if (suspended_) held_.push_back(event);
  else printer_->on_event(event);
}

void Console::suspend() {
  const std::lock_guard lock(mutex_);
  suspended_ = true;
  printer_->suspend();
}

void Console::resume() {
  const std::lock_guard lock(mutex_);
  printer_->resume();
  suspended_ = false;
  for (const auto& event : held_) printer_->on_event(event);
  held_.clear();
}

Result<std::map<std::string, std::string>> assignments(const std::vector<std::string>& texts, const char* flag) {
  std::map<std::string, std::string> values;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    if (equals == 0 || text.empty()) {
      return make_error(ErrorCode::usage, std::string(flag) + " \"" + text + "\" has no name", "write it as NAME=VALUE");
    }
    if (equals != std::string::npos) {
      values[text.substr(0, equals)] = text.substr(equals + 1);
    } else if (const auto* value = std::getenv(text.c_str())) {
      values[text] = value;
    } else {
      return make_error(ErrorCode::usage, std::string(flag) + " " + text + ": there is no environment variable of that name",
                        "export " + text + ", or write " + text + "=VALUE");
    }
  }
  return values;
}

Result<std::map<std::string, std::string>> read_env_file(const std::string& path) {
  DRYDOCK_ASSIGN(const auto text, read_file(path));
  std::map<std::string, std::string> values;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos || line[begin] == '#') continue;
    const auto equals = line.find('=', begin);
    if (equals == std::string::npos) {
      return make_error(ErrorCode::usage, path + ":" + std::to_string(number) + ": expected NAME=VALUE");
    }
    auto value = line.substr(equals + 1);
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front()) {
      value = value.substr(1, value.size() - 2);
    }
    values[line.substr(begin, equals - begin)] = std::move(value);
  }
  return values;
}

}  // namespace drydock::runner
