#include "executors/step/file_commands.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "executors/base/fs.h"

namespace drydock::step {
namespace {

/// Lines one after another, telling whether each ended with a newline.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  std::optional<std::string_view> next() {
    if (rest_.empty()) return std::nullopt;
    const auto end = rest_.find('\n');
    terminated_ = end != std::string_view::npos;
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(terminated_ ? end + 1 : rest_.size());
    return line;
  }
  bool terminated() const { return terminated_; }

 private:
  std::string_view rest_;
  bool terminated_ = false;
};

Error wrong(std::string message) { return make_error(ErrorCode::invalid_input, std::move(message)); }

Result<std::string> read_block(Lines& lines, std::string_view delimiter) {
  std::string value;
  while (true) {
    const auto line = lines.next();
    if (!line) return wrong("Invalid value. Matching delimiter not found '" + std::string(delimiter) + "'");
    if (*line == delimiter) break;
    if (!lines.terminated()) return wrong("Invalid value. EOF marker missing new line.");
    value += *line;
    value += '\n';
  }
  if (!value.empty()) value.pop_back();
  return value;
}

Result<std::string> read_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    if (errno == ENOENT) return std::string();  // the step removed it: nothing was said
    return errno_error("reading " + file, errno);
  }
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  return text;
}

}  // namespace

Result<KeyValues> parse_key_values(std::string_view text) {
  KeyValues out;
  Lines lines(text);
  while (const auto line = lines.next()) {
    if (line->empty()) continue;
    const auto equals = line->find('='), block = line->find("<<");
    if (equals != std::string_view::npos && equals < block) {
      if (equals == 0) return wrong("Invalid format '" + std::string(*line) + "'. Name must not be empty");
      out.emplace_back(line->substr(0, equals), line->substr(equals + 1));
    } else if (block != std::string_view::npos) {
      const std::string_view delimiter = line->substr(block + 2);
      if (block == 0 || delimiter.empty()) {
        return wrong("Invalid format '" + std::string(*line) +
                     "'. Name must not be empty and delimiter must not be empty");
      }
      DRYDOCK_ASSIGN(std::string value, read_block(lines, delimiter));
      out.emplace_back(line->substr(0, block), std::move(value));
    } else {
      return wrong("Invalid format '" + std::string(*line) + "'");
    }
  }
  return out;
}

std::vector<std::string> parse_path_file(std::string_view text) {
  std::vector<std::string> out;
  Lines lines(text);
  while (const auto line = lines.next()) {
    if (!line->empty()) out.emplace_back(*line);
  }
  return out;
}

Result<FileCommands> FileCommands::create(const std::string& directory, const std::string& tag, const std::string& artifacts) {
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) return errno_error("making " + directory, failure.value());
  FileCommands files;
  const std::pair<std::string FileCommands::*, const char*> k_files[] = {
      {&FileCommands::env_, "set_env_"},     {&FileCommands::output_, "set_output_"},
      {&FileCommands::state_, "save_state_"}, {&FileCommands::path_, "add_path_"},
      {&FileCommands::summary_, "step_summary_"}, {&FileCommands::artifacts_, "artifacts_"}};
  for (const auto& [member, prefix] : k_files) {
    files.*member = directory + "/" + prefix + tag;
    std::ofstream made(files.*member, std::ios::trunc);
    if (!made) return errno_error("making " + files.*member, errno);
  }
  // One for the job, written where it changes: on a full disk a step that clears up needs no room for it.
  files.artifacts_list_ = directory + "/artifacts_list";
  DRYDOCK_ASSIGN(const std::string there, read_file(files.artifacts_list_));
  if (there != artifacts) DRYDOCK_TRY(write_file_atomic(files.artifacts_list_, artifacts, 0644, Durability::relaxed));
  return files;
}

void FileCommands::add_to(Environment& environment) const {
  environment["GITHUB_ENV"] = env_;
  environment["GITHUB_OUTPUT"] = output_;
  environment["GITHUB_STATE"] = state_;
  environment["GITHUB_PATH"] = path_;
  environment["GITHUB_STEP_SUMMARY"] = summary_;
  environment["GITHUB_ARTIFACTS"] = artifacts_;
  environment["GITHUB_ARTIFACTS_LIST"] = artifacts_list_;
}

Result<KeyValues> FileCommands::key_values(const std::string& file) {
  DRYDOCK_ASSIGN(const std::string text, read_file(file));
  return parse_key_values(text);
}

Result<std::vector<std::string>> FileCommands::path() const {
  DRYDOCK_ASSIGN(const std::string text, read_file(path_));
  return parse_path_file(text);
}

Result<std::string> FileCommands::summary() const {
  std::error_code failure;
  const auto size = std::filesystem::file_size(summary_, failure);
  if (!failure && size > k_summary_limit) {
    return wrong("$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got " +
                 std::to_string(size / 1024) + "k");
  }
  return read_file(summary_);
}

Result<std::string> FileCommands::artifacts() const { return read_file(artifacts_); }

void FileCommands::remove() const {
  std::error_code ignored;
  for (const auto* file : {&env_, &output_, &state_, &path_, &summary_, &artifacts_}) std::filesystem::remove(*file, ignored);
}

}  // namespace drydock::step
