#include "runner/events/plain_printer.h"

namespace drydock::runner {

namespace {

constexpr const char* k_red = "31";
constexpr const char* k_green = "32";
constexpr const char* k_yellow = "33";
constexpr const char* k_cyan = "36";
constexpr const char* k_bold = "1";

std::string line_key_of(const Event& event) {
  return event.job + "\n" + event.step + "\n" + event.vertex;
}

std::string place_text(const Place& place) {
  if (place.file.empty()) return {};
  auto text = place.file;
  if (place.line > 0) text += ":" + std::to_string(place.line);
  if (place.line > 0 && place.column > 0) text += ":" + std::to_string(place.column);
  return text + ": ";
}

}  // namespace

std::string PlainPrinter::paint(const char* code, const std::string& text) const {
  return colour_ == Colour::never ? text : "\x1b[" + std::string(code) + "m" + text + "\x1b[0m";
}

void PlainPrinter::line(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), out_);
  std::fputc('\n', out_);
  std::fflush(out_);
}

PlainPrinter::Source& PlainPrinter::source(const Event& event) {
  auto& source = sources_.try_emplace(line_key_of(event), Source{.begun = event.time}).first->second;
  if (!event.vertex.empty() && source.number == 0) source.number = next_++;
  if (!event.name.empty()) source.name = event.name;
  return source;
}

std::string PlainPrinter::prefix(const Event& event, Source& source) const {
  if (!event.vertex.empty()) {
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(event.time - source.begun);
    return "#" + std::to_string(source.number) + " " + format_elapsed(elapsed) + " ";
  }
  return event.job.empty() ? "" : "[" + event.job + "] ";
}

void PlainPrinter::announce(const Event& event, Source& source) {
  if (source.announced) return;
  source.announced = true;
  auto text = "#" + std::to_string(source.number) + " " + paint(k_bold, event.name);
  if (event.execution == Execution::emulated) text += paint(k_yellow, " (emulated)");
  if (event.execution == Execution::remote) text += " (remote)";
  line(text);
}

void PlainPrinter::log(const Event& event) {
  auto& from = source(event);
  if (!event.vertex.empty()) announce(event, from);
  auto& partial = from.partial[event.stream == Stream::out ? 0 : 1];
  partial += event.text;
  std::size_t begin = 0;
  for (auto end = partial.find('\n'); end != std::string::npos; end = partial.find('\n', begin)) {
    auto piece = partial.substr(begin, end - begin);
    if (piece.ends_with('\r')) piece.pop_back();
    // A progress bar draws over itself: only its last state is a line.
    if (const auto back = piece.rfind('\r'); back != std::string::npos) piece = piece.substr(back + 1);
    line(prefix(event, from) + piece);
    begin = end + 1;
  }
  partial.erase(0, begin);
}

void PlainPrinter::flush(const Event& event, Source& from) {
  for (auto& partial : from.partial) {
    if (!partial.empty()) line(prefix(event, from) + partial);
    partial.clear();
  }
}

void PlainPrinter::vertex_finished(const Event& event) {
  auto& from = source(event);
  announce(event, from);
  flush(event, from);
  const auto number = "#" + std::to_string(from.number) + " ";
  if (event.cache == CacheState::hit) {
    line(number + paint(k_cyan, "CACHED"));
  } else if (event.outcome == Outcome::success) {
    line(number + paint(k_green, "DONE ") + format_elapsed(event.elapsed));
  } else if (event.outcome == Outcome::cancelled) {
    line(number + paint(k_yellow, "CANCELED"));
  } else {
    line(number + paint(k_red, "ERROR: ") + event.text);
  }
  sources_.erase(line_key_of(event));
}

void PlainPrinter::step_finished(const Event& event) {
  auto& from = source(event);
  flush(event, from);
  const auto colour = event.outcome == Outcome::failure ? k_red : event.outcome == Outcome::success ? k_green : k_yellow;
  line("[" + event.job + "] " + paint(colour, std::string(name_of(event.outcome))) + "  " + event.name + "  " +
       format_elapsed(event.elapsed) + (event.text.empty() ? "" : "  " + event.text));
}

void PlainPrinter::message(const Event& event) {
  const auto colour = event.level == Level::error ? k_red : event.level == Level::warning ? k_yellow : k_cyan;
  const auto where = event.job.empty() ? "" : "[" + event.job + "] ";
  line(where + paint(colour, std::string(name_of(event.level)) + ":") + " " + place_text(event.place) + event.text);
}

void PlainPrinter::on_event(const Event& event) {
  switch (event.kind) {
    case EventKind::run_started: line(paint(k_bold, event.name)); break;
    case EventKind::job_started: line("[" + event.job + "] " + paint(k_bold, "job " + event.name)); break;
    case EventKind::job_finished:
      line("[" + event.job + "] job " + std::string(name_of(event.outcome)) + " in " + format_elapsed(event.elapsed) +
           (event.text.empty() ? "" : ": " + event.text));
      break;
    case EventKind::step_started: line("[" + event.job + "] " + paint(k_bold, "step " + event.name)); break;
    case EventKind::step_finished: step_finished(event); break;
    case EventKind::vertex_started: source(event); break;
    case EventKind::vertex_finished: vertex_finished(event); break;
    case EventKind::log: log(event); break;
    case EventKind::message: message(event); break;
    case EventKind::group_started: line(prefix(event, source(event)) + paint(k_bold, "▸ " + event.name)); break;
    case EventKind::leg_finished: line(event.leg + " " + event.digest + "  " + event.text); break;
    case EventKind::published: line(paint(k_green, "published ") + event.reference + " " + event.digest); break;
    default: break;
  }
}

void PlainPrinter::finish() {
  for (auto& [key, from] : sources_) {
    for (auto& partial : from.partial) {
      if (!partial.empty()) line(partial);
      partial.clear();
    }
  }
}

}  // namespace drydock::runner
