#include "executors/step/action_context.h"

#include "executors/base/masker.h"

#include <algorithm>
#include <cctype>

namespace drydock::step {
namespace {

std::string trimmed(std::string_view text) {
  constexpr std::string_view k_blank = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(k_blank);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(k_blank) - first + 1));
}

char lower_letter(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

const nlohmann::json k_empty_object = nlohmann::json::object();

}  // namespace

bool LessNoCase::operator()(std::string_view a, std::string_view b) const {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return lower_letter(x) < lower_letter(y); });
}

std::string ActionContext::raw_input(std::string_view name) const {
  const auto found = setup_.inputs.find(name);
  return found == setup_.inputs.end() ? std::string() : found->second;
}

std::string ActionContext::input(std::string_view name) const { return trimmed(raw_input(name)); }

std::vector<std::string> ActionContext::input_lines(std::string_view name) const {
  const std::string text = raw_input(name);
  std::vector<std::string> lines;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find('\n', start), text.size());
    if (auto line = trimmed(std::string_view(text).substr(start, end - start)); !line.empty()) {
      lines.push_back(std::move(line));
    }
    start = end + 1;
  }
  return lines;
}

Result<bool> ActionContext::boolean_input(std::string_view name) const {
  const std::string text = input(name);
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return make_error(ErrorCode::usage, "Input '" + std::string(name) + "' is not a boolean: '" + text + "'",
                    "write true or false");
}

Result<std::string> ActionContext::required_input(std::string_view name) const {
  std::string text = input(name);
  if (text.empty()) {
    return make_error(ErrorCode::usage, "Input required and not supplied: " + std::string(name),
                      "give it under 'with:' of " + setup_.uses);
  }
  return text;
}

void ActionContext::set_output(std::string name, std::string value) {
  effects_.outputs.insert_or_assign(std::move(name), std::move(value));
}

void ActionContext::export_variable(const std::string& name, const std::string& value) {
  setup_.environment.insert_or_assign(name, value);
  effects_.environment.emplace_back(name, value);
}

void ActionContext::add_path(const std::string& directory) {
  std::string& path = setup_.environment["PATH"];
  path = path.empty() ? directory : directory + ":" + path;
  effects_.path.push_back(directory);
}

void ActionContext::save_state(const std::string& name, std::string value) {
  effects_.state.insert_or_assign(name, std::move(value));
}

std::string ActionContext::state(const std::string& name) const {
  const auto found = effects_.state.find(name);
  return found == effects_.state.end() ? std::string() : found->second;
}

void ActionContext::add_summary(std::string_view markdown) { effects_.summary += markdown; }

void ActionContext::info(std::string_view text) {
  Event event{.kind = EventKind::log, .job = setup_.job, .step = setup_.step};
  event.text = text;
  if (!event.text.ends_with('\n')) event.text += '\n';
  bus().publish(std::move(event));
}

void ActionContext::message(Level level, std::string text, Place place) {
  if (setup_.annotations && level != Level::debug) {
    setup_.annotations->push_back({level, bus().masker().mask(text), "", place});
  }
  Event event{.kind = EventKind::message, .job = setup_.job, .step = setup_.step};
  event.level = level;
  event.text = std::move(text);
  event.place = std::move(place);
  bus().publish(std::move(event));
}

void ActionContext::debug(std::string_view text) {
  if (setup_.runner.debug) message(Level::debug, std::string(text), {});
}
void ActionContext::notice(std::string text, Place place) {
  message(Level::notice, std::move(text), std::move(place));
}
void ActionContext::warning(std::string text, Place place) {
  message(Level::warning, std::move(text), std::move(place));
}
void ActionContext::error(std::string text, Place place) {
  message(Level::error, std::move(text), std::move(place));
}

void ActionContext::start_group(std::string name) {
  bus().publish({.kind = EventKind::group_started, .job = setup_.job, .step = setup_.step,
                 .name = std::move(name)});
}

void ActionContext::end_group() {
  bus().publish({.kind = EventKind::group_finished, .job = setup_.job, .step = setup_.step});
}

void ActionContext::add_mask(std::string_view secret) { bus().masker().add(secret); }

void ActionContext::complete(ProcessSpec& spec) {
  if (!spec.environment) spec.environment = setup_.environment;
  if (spec.directory.empty()) spec.directory = setup_.places.workspace;
  const auto log = [this](Stream stream) {
    return [this, stream](std::string_view piece) {
      Event event{.kind = EventKind::log, .job = setup_.job, .step = setup_.step};
      event.text = piece;
      event.stream = stream;
      bus().publish(std::move(event));
    };
  };
  if (!spec.on_stdout) spec.on_stdout = log(Stream::out);
  if (!spec.on_stderr) spec.on_stderr = log(Stream::err);
}

Result<ProcessResult> ActionContext::run(ProcessSpec spec) {
  complete(spec);
  return run_process(spec, setup_.stop);
}

Result<ProcessResult> ActionContext::run_in_place(ProcessSpec spec) {
  complete(spec);
  return setup_.in_place ? setup_.in_place(spec, setup_.stop) : run_process(spec, setup_.stop);
}

std::string ActionContext::variable(const std::string& name) const {
  const auto found = setup_.environment.find(name);
  return found == setup_.environment.end() ? std::string() : found->second;
}

std::string ActionContext::github(const std::string& name) const {
  if (!setup_.github.is_object()) return {};
  const auto found = setup_.github.find(name);
  return found != setup_.github.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const nlohmann::json& ActionContext::event() const {
  if (!setup_.github.is_object()) return k_empty_object;
  const auto found = setup_.github.find("event");
  return found != setup_.github.end() && found->is_object() ? *found : k_empty_object;
}

Result<build::BuildService*> ActionContext::builder() {
  if (setup_.builder) return setup_.builder;
  return make_error(ErrorCode::environment, setup_.uses + " needs an image builder, and this runner has none");
}

}  // namespace drydock::step
