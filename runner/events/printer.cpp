#include "runner/events/printer.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "runner/events/live_printer.h"
#include "runner/events/plain_printer.h"

namespace drydock::runner {

namespace {

class JsonPrinter : public Printer {
 public:
  explicit JsonPrinter(std::FILE* out) : out_(out) {}
  void on_event(const Event& event) override {
    const auto line = to_json(event).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    std::fwrite(line.data(), 1, line.size(), out_);
    std::fflush(out_);
  }

 private:
  std::FILE* out_;
};

class QuietPrinter : public Printer {
 public:
  void on_event(const Event&) override {}
};

}  // namespace

Result<ProgressMode> parse_progress(const std::string& text) {
  if (text == "auto") return ProgressMode::automatic;
  if (text == "tty") return ProgressMode::tty;
  if (text == "plain") return ProgressMode::plain;
  if (text == "json" || text == "rawjson") return ProgressMode::json;
  if (text == "quiet" || text == "none") return ProgressMode::quiet;
  return make_error(ErrorCode::usage, "--progress=" + text + " is not known", "use auto, tty, plain, json or quiet");
}

std::unique_ptr<Printer> make_printer(ProgressMode mode, std::FILE* out) {
  if (mode == ProgressMode::automatic) mode = ::isatty(::fileno(out)) ? ProgressMode::tty : ProgressMode::plain;
  switch (mode) {
    case ProgressMode::json: return std::make_unique<JsonPrinter>(out);
    case ProgressMode::quiet: return std::make_unique<QuietPrinter>();
    case ProgressMode::tty: return std::make_unique<LivePrinter>(out);
    default: return std::make_unique<PlainPrinter>(out, Colour::never);
  }
}

std::string format_elapsed(std::chrono::milliseconds elapsed) {
  const auto ms = elapsed.count();
  char text[32];
  if (ms < 60'000) {
    std::snprintf(text, sizeof text, "%lld.%llds", static_cast<long long>(ms / 1000), static_cast<long long>(ms % 1000 / 100));
  } else if (ms < 3'600'000) {
    std::snprintf(text, sizeof text, "%lldm%02llds", static_cast<long long>(ms / 60'000), static_cast<long long>(ms / 1000 % 60));
  } else {
    std::snprintf(text, sizeof text, "%lldh%02lldm", static_cast<long long>(ms / 3'600'000),
                  static_cast<long long>(ms / 60'000 % 60));
  }
  return text;
}

}  // namespace drydock::runner
