#include "runner/events/history.h"

#include <cerrno>

#include <nlohmann/json.hpp>

namespace drydock::runner {

Result<std::unique_ptr<History>> History::open(const std::string& run_directory) {
  const auto path = run_directory + "/events.jsonl";
  auto* file = std::fopen(path.c_str(), "ae");
  if (!file) return errno_error(path, errno);
  return std::unique_ptr<History>(new History(file));
}

History::~History() {
  if (file_) std::fclose(file_);
}

void History::on_event(const Event& event) {
  if (!file_) return;
  const auto line = to_json(event).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  const bool written = std::fwrite(line.data(), 1, line.size(), file_) == line.size();
  // Progress is only of interest while it happens; everything else is on disk when it was seen.
  if (event.kind != EventKind::progress && event.kind != EventKind::log) std::fflush(file_);
  if (!written) {
    std::fclose(file_);
    file_ = nullptr;
  }
}

}  // namespace drydock::runner
