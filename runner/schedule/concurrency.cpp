#include "runner/schedule/concurrency.h"

#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "executors/step/evaluator.h"
#include "executors/step/from_model.h"

namespace drydock::runner {
namespace expression = parser::expression;
using expression::Value;
namespace {

/// FNV-1a over the folded name: groups are compared without case, as on GitHub.
std::string file_of(const std::string& repository, const std::string& group) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const unsigned char c : expression::fold_case(repository + "\n" + group)) hash = (hash ^ c) * 0x100000001b3u;
  std::ostringstream out;
  out << std::hex << hash;
  return out.str();
}

/// "pid start-time", so that a number used again by another process is not mistaken for the holder.
std::string start_time_of(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  constexpr int k_start_time = 20;  // field 22; two lie before the closing parenthesis
  for (int i = 0; i < k_start_time; ++i) fields >> field;
  return field;
}

void interrupt_holder(const std::string& file) {
  const auto text = read_file_if_exists(file);
  if (!text || !*text) return;
  std::istringstream in(**text);
  pid_t pid = 0;
  std::string started;
  in >> pid >> started;
  if (pid > 1 && pid != getpid() && !started.empty() && start_time_of(pid) == started) kill(pid, SIGINT);
}

}  // namespace

ConcurrencyGroup::ConcurrencyGroup(const parser::workflow::Workflow& workflow, const OrderedJson& github,
                                   const OrderedJson& inputs, const RunSettings& settings, std::string lock_dir, Bus& bus)
    : workflow_(workflow), github_(github), inputs_(inputs), settings_(settings), lock_dir_(std::move(lock_dir)), bus_(bus) {}

Status ConcurrencyGroup::evaluate() {
  const auto& written = *workflow_.concurrency;
  expression::Context context;
  context.set("github", Value::from_json(github_)).set("inputs", Value::from_json(inputs_));
  context.set("vars", Value::from_json(settings_.vars));
  step::Evaluator evaluator(bus_, "", {});
  const auto text = [&](const parser::workflow::Token& token) { return step::text_of(token, workflow_.file); };
  if (written.group) {
    DRYDOCK_ASSIGN(group_, evaluator.string(text(*written.group), context));
    if (written.cancel_in_progress) {
      DRYDOCK_ASSIGN(cancel_in_progress_, evaluator.boolean(text(*written.cancel_in_progress), context));
    }
    return {};
  }
  DRYDOCK_ASSIGN(const Value value, evaluator.value(text(written.value), context));
  if (value.kind() == expression::Kind::object) {
    group_ = value.member("group").to_string();
    cancel_in_progress_ = value.member("cancel-in-progress").truthy();
  } else {
    group_ = value.to_string();
  }
  return {};
}

Status ConcurrencyGroup::enter(std::stop_token stop) {
  if (!workflow_.concurrency || lock_dir_.empty()) return {};
  DRYDOCK_TRY(evaluate());
  if (group_.empty()) return {};
  DRYDOCK_TRY(make_directories(lock_dir_));
  const std::string file = lock_dir_ + "/" + file_of(github_.value("repository", std::string()), group_);
  bool told = false;
  while (true) {
    DRYDOCK_ASSIGN(lock_, FileLock::try_acquire(file + ".lock"));
    if (lock_) break;
    if (!told) {
      bus_.notice("concurrency group '" + group_ + "' is held by another run: " +
                  (cancel_in_progress_ ? "it is cancelled" : "waiting for its end"));
      if (cancel_in_progress_) interrupt_holder(file + ".holder");
      told = true;
    }
    if (stop.stop_requested()) return make_error(ErrorCode::cancelled, "cancelled while waiting for concurrency group '" + group_ + "'");
    constexpr std::chrono::milliseconds k_pause{100};
    std::this_thread::sleep_for(k_pause);
  }
  return write_file_atomic(file + ".holder", std::to_string(getpid()) + " " + start_time_of(getpid()) + "\n", 0644,
                           Durability::relaxed);
}

}  // namespace drydock::runner
