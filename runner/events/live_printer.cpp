#include "runner/events/live_printer.h"

#include <sys/ioctl.h>

#include <algorithm>

#include "executors/base/text.h"

namespace drydock::runner {

namespace {

constexpr std::size_t k_kept_lines = 40;
constexpr auto k_redraw = std::chrono::milliseconds(100);

struct Size {
  std::size_t rows = 24, columns = 80;
};

Size terminal_size(std::FILE* terminal) {
  winsize window{};
  if (::ioctl(::fileno(terminal), TIOCGWINSZ, &window) != 0 || window.ws_col == 0) return {};
  return {window.ws_row, window.ws_col};
}

std::string without_controls(const std::string& text) {
  std::string clean;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      while (i < text.size() && !std::isalpha(static_cast<unsigned char>(text[i]))) ++i;
    } else if (static_cast<unsigned char>(text[i]) >= 0x20) {
      clean += text[i];
    }
  }
  return clean;
}

/// At most `width` characters, counted by code points.
std::string cut(const std::string& text, std::size_t width) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    if (++characters > width) return text.substr(0, i);
  }
  return text;
}

/// A vertex is named uniquely within its build only.
std::string key_of(const Event& event) { return event.job + "\n" + event.step + "\n" + event.vertex; }

bool is_vertex(const Event& event) { return !event.vertex.empty(); }

}  // namespace

LivePrinter::LivePrinter(std::FILE* out)
    : PlainPrinter(out, Colour::always), terminal_(out), clock_([this] { clock(); }) {}

LivePrinter::~LivePrinter() { finish(); }

void LivePrinter::finish() {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    stopped_ = true;
    erase_block();
    PlainPrinter::finish();
    std::fflush(terminal_);
  }
  wake_.notify_all();
  clock_.join();
}

void LivePrinter::suspend() {
  const std::lock_guard lock(mutex_);
  erase_block();
  std::fflush(terminal_);
  suspended_ = true;
}

void LivePrinter::resume() {
  const std::lock_guard lock(mutex_);
  suspended_ = false;
}

void LivePrinter::clock() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, k_redraw, [this] { return stopped_; })) {
    if (suspended_ || (running_.empty() && drawn_ == 0)) continue;
    erase_block();
    draw_block();
    std::fflush(terminal_);
  }
}

void LivePrinter::erase_block() {
  if (drawn_ > 0) std::fprintf(terminal_, "\x1b[%zuA\x1b[J", drawn_);
  drawn_ = 0;
}

void LivePrinter::draw_block() {
  const auto size = terminal_size(terminal_);
  const auto room = size.rows > 4 ? size.rows - 2 : 2;
  for (const auto& running : running_) {
    if (drawn_ >= room) break;
    std::fprintf(terminal_, "%s\n", row(running, size.columns).c_str());
    ++drawn_;
  }
}

std::string LivePrinter::row(const Running& running, std::size_t width) const {
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                             running.begun);
  std::string tail = format_elapsed(elapsed);
  if (running.execution == Execution::emulated) tail = "emulated  " + tail;
  if (running.execution == Execution::native) tail = "native  " + tail;
  if (running.total > 0) tail = size_text(running.current) + " / " + size_text(running.total) + "  " + tail;
  auto text = " => " + running.name;
  if (!running.last.empty()) text += "  · " + running.last;
  const auto left = width > tail.size() + 3 ? width - tail.size() - 3 : 10;
  text = cut(text, left);
  std::size_t characters = 0;
  for (const char c : text) characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return text + std::string(left > characters ? left - characters + 2 : 2, ' ') + "\x1b[2m" + tail + "\x1b[0m";
}

LivePrinter::Running* LivePrinter::find(const std::string& key) {
  const auto found = std::find_if(running_.begin(), running_.end(), [&](const auto& r) { return r.key == key; });
  return found == running_.end() ? nullptr : &*found;
}

void LivePrinter::note_output(const Event& event) {
  auto* running = find(key_of(event));
  if (!running) return;
  std::size_t begin = 0;
  while (begin < event.text.size()) {
    auto end = event.text.find('\n', begin);
    if (end == std::string::npos) end = event.text.size();
    auto piece = without_controls(event.text.substr(begin, end - begin));
    if (!piece.empty()) {
      running->last = piece;
      running->log.push_back(std::move(piece));
      if (running->log.size() > k_kept_lines) running->log.pop_front();
    }
    begin = end + 1;
  }
}

void LivePrinter::line(const std::string& text) {
  // The caller holds the lock (on_event) and has erased the block.
  std::fwrite(text.data(), 1, text.size(), terminal_);
  std::fputc('\n', terminal_);
}

void LivePrinter::on_event(const Event& event) {
  const std::lock_guard lock(mutex_);
  if (event.kind == EventKind::log && is_vertex(event)) return note_output(event);
  if (event.kind == EventKind::progress) {
    if (auto* running = find(key_of(event))) {
      running->current = event.current;
      running->total = event.total;
    }
    return;
  }
  if (event.kind == EventKind::vertex_started) {
    running_.push_back({key_of(event), event.name, event.leg, {}, event.execution, 0, 0, std::chrono::steady_clock::now(), {}});
    return PlainPrinter::on_event(event);
  }
  erase_block();
  if (event.kind == EventKind::vertex_finished) {
    if (auto* running = find(key_of(event))) {
      if (event.outcome == Outcome::failure) {
        for (const auto& piece : running->log) line("   " + piece);
      }
      running_.remove_if([&](const auto& r) { return r.key == key_of(event); });
    }
  }
  PlainPrinter::on_event(event);
  draw_block();
  std::fflush(terminal_);
}

}  // namespace drydock::runner
