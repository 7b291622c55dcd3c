#include "parser/yaml/document.h"

#include "parser/yaml/complaint.h"
#include "parser/yaml/places.h"
#include "parser/yaml/repair.h"

#include <yaml.h>

#include <algorithm>
#include <map>
#include <new>

namespace drydock::parser::yaml {

namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) {
    if (yaml_parser_initialize(&raw_) == 0) throw std::bad_alloc();
    yaml_parser_set_encoding(&raw_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&raw_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  Scanner(const Scanner&) = delete;
  Scanner& operator=(const Scanner&) = delete;
  ~Scanner() { yaml_parser_delete(&raw_); }

  bool next(yaml_event_t& event) { return yaml_parser_parse(&raw_, &event) != 0; }
  const yaml_parser_t& raw() const { return raw_; }

 private:
  yaml_parser_t raw_{};
};

struct Event {
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&raw); }
  yaml_event_t raw{};
};

std::string text_of(const yaml_char_t* text) {
  return text == nullptr ? std::string{} : reinterpret_cast<const char*>(text);
}

/// Turns libyaml's marks, which count code points, into bytes and places. Marks rise slowly, so the last one
/// is where the next search begins.
class Marks {
 public:
  explicit Marks(const Places& places) : places_(places) {
    const auto text = places.text();
    ascii_ =
        std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    // libyaml ends lines at these as well; the rest of drydock at '\n' alone.
    for (const std::string_view end : {"\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"})
      other_ends_ |= !ascii_ && text.find(end) != std::string_view::npos;
    for (auto i = text.find('\r'); i != std::string_view::npos && !other_ends_; i = text.find('\r', i + 1)) {
      other_ends_ = i + 1 == text.size() || text[i + 1] != '\n';
    }
  }

  std::size_t offset(const yaml_mark_t& mark) {
    const auto text = places_.text();
    if (ascii_) return std::min(mark.index, text.size());
    const auto is_inside = [&](std::size_t i) {
      return (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
    };
    for (; index_ < mark.index && byte_ < text.size(); ++index_) {
      do ++byte_;
      while (byte_ < text.size() && is_inside(byte_));
    }
    for (; index_ > mark.index && byte_ > 0; --index_) {
      do --byte_;
      while (byte_ > 0 && is_inside(byte_));
    }
    return byte_;
  }

  Position position(const yaml_mark_t& mark) {
    if (other_ends_) return places_.at(offset(mark));
    return {static_cast<int>(mark.line) + 1, static_cast<int>(mark.column) + 1};
  }

 private:
  const Places& places_;
  bool ascii_ = true, other_ends_ = false;
  std::size_t index_ = 0, byte_ = 0;
};

/// Builds the node list from libyaml's events.
class Builder {
 public:
  Builder(const Places& places, const Limits& limits) : places_(places), limits_(limits), marks_(places) {}

  Marks& marks() { return marks_; }
  Document take() { return std::move(document_); }
  const std::optional<Problem>& problem() const { return problem_; }

  /// False when nothing more is to be read: at the end, or at a problem.
  bool take(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        begin_document(event);
        break;
      case YAML_ALIAS_EVENT:
        alias(event);
        break;
      case YAML_SCALAR_EVENT:
        scalar(event);
        break;
      case YAML_SEQUENCE_START_EVENT:
        open(NodeKind::sequence, event, event.data.sequence_start.tag, event.data.sequence_start.anchor);
        break;
      case YAML_MAPPING_START_EVENT:
        open(NodeKind::mapping, event, event.data.mapping_start.tag, event.data.mapping_start.anchor);
        break;
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        close();
        break;
      case YAML_STREAM_END_EVENT:
        return false;
      default:
        break;
    }
    return !problem_;
  }

 private:
  void fail(std::string message, const yaml_mark_t& mark, std::string mend = {}) {
    if (!problem_) problem_ = Problem{std::move(message), marks_.position(mark), std::move(mend)};
  }

  void begin_document(const yaml_event_t& event) {
    if (++documents_ > 1) fail("Only one YAML document is expected in this file", event.start_mark);
  }

  void alias(const yaml_event_t& event) {
    auto& node = add(NodeKind::alias, event, nullptr);
    node.value = name_at(node.offset);
    node.range.end = marks_.position(event.end_mark);
    const auto found = anchors_.find(node.value);
    if (found == anchors_.end()) {
      fail("Not valid YAML: there is no anchor &" + node.value + " before this alias", event.start_mark);
      return;
    }
    node.target = found->second;
  }

  void scalar(const yaml_event_t& event) {
    const auto& data = event.data.scalar;
    auto& node = add(NodeKind::scalar, event, data.anchor);
    node.value.assign(reinterpret_cast<const char*>(data.value), data.length);
    set_tag(node, data.tag);
    node.range.end = marks_.position(event.end_mark);
    switch (data.style) {
      case YAML_SINGLE_QUOTED_SCALAR_STYLE:
        node.style = Style::single_quoted;
        break;
      case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        node.style = Style::double_quoted;
        break;
      case YAML_LITERAL_SCALAR_STYLE:
        node.style = Style::literal;
        break;
      case YAML_FOLDED_SCALAR_STYLE:
        node.style = Style::folded;
        break;
      default:
        return;
    }
    if (node.style == Style::literal || node.style == Style::folded) end_with_header(node);
  }

  /// A block scalar ends, for whoever points at it, with its first line.
  void end_with_header(Node& node) const {
    const auto text = places_.text();
    const auto header = text.find_first_of("|>", node.offset);
    auto end =
        std::min(text.find('\n', header == std::string_view::npos ? node.offset : header), text.size());
    node.range.end = places_.at(end);
  }

  void open(NodeKind kind, const yaml_event_t& event, const yaml_char_t* tag, const yaml_char_t* anchor) {
    set_tag(add(kind, event, anchor), tag);
    open_.push_back(static_cast<NodeId>(document_.nodes.size() - 1));
    if (static_cast<int>(open_.size()) > limits_.max_depth)
      fail("Maximum object depth exceeded", event.start_mark);
  }

  void close() {
    auto& node = document_.nodes[open_.back()];
    node.range.end =
        node.children.empty() ? node.range.start : document_.nodes[node.children.back()].range.end;
    open_.pop_back();
  }

  static void set_tag(Node& node, const yaml_char_t* tag) {
    if (tag != nullptr && std::string_view(reinterpret_cast<const char*>(tag)) != "!")
      node.tag = text_of(tag);
  }

  Node& add(NodeKind kind, const yaml_event_t& event, const yaml_char_t* anchor) {
    if (document_.nodes.size() >= limits_.max_nodes) fail("Maximum YAML nodes exceeded", event.start_mark);
    const auto id = static_cast<NodeId>(document_.nodes.size());
    auto& node = document_.nodes.emplace_back();
    node.kind = kind;
    node.offset = marks_.offset(event.start_mark);
    node.range.start = node.range.end = marks_.position(event.start_mark);
    if (anchor != nullptr) anchors_[anchor_at(node.offset)] = id;
    if (open_.empty()) {
      document_.root = id;
    } else {
      document_.nodes[open_.back()].children.push_back(id);
    }
    return node;
  }

  /// The name after the `&` or `*` there, as written.
  std::string name_at(std::size_t sign) const {
    const auto text = places_.text();
    const auto end = std::min(text.find_first_of(" \t\r\n,[]{}", sign), text.size());
    return std::string(text.substr(sign + 1, end - sign - 1));
  }

  /// A tag may stand before the anchor.
  std::string anchor_at(std::size_t offset) const {
    const auto text = places_.text();
    if (offset < text.size() && text[offset] == '!') {
      const auto end = std::min(text.find_first_of(" \t\r\n", offset), text.size());
      offset = std::min(text.find('&', end), text.size());
    }
    return offset < text.size() ? name_at(offset) : std::string{};
  }

  const Places& places_;
  const Limits& limits_;
  Marks marks_;
  Document document_;
  std::optional<Problem> problem_;
  std::vector<NodeId> open_;
  std::map<std::string, NodeId> anchors_;
  int documents_ = 0;
};

/// Why there is no document; libyaml's own complaints come with where it stopped.
struct Stopped {
  Problem problem;
  std::optional<std::size_t> index = std::nullopt;  // in code points
  std::string_view words = {};                      // static ones
};

Stopped stopped(const yaml_parser_t& parser, Marks& marks, std::string_view text) {
  const auto words = [](const char* from) {
    return from == nullptr ? std::string_view{} : std::string_view(from);
  };
  Complaint complaint{words(parser.problem), words(parser.context), {}};
  const bool has_mark = parser.error == YAML_SCANNER_ERROR || parser.error == YAML_PARSER_ERROR;
  const auto mark = is_about_beginning(complaint) ? parser.context_mark
                    : has_mark                    ? parser.problem_mark
                                                  : parser.mark;
  complaint.rest = text.substr(std::min(marks.offset(mark), text.size()));
  auto words_for_people = explain(complaint);
  return {{std::move(words_for_people.message), marks.position(mark), std::move(words_for_people.mend)},
          mark.index,
          complaint.problem};
}

/// `text` differs from that of `places` in single characters alone.
std::variant<Document, Stopped> parse_text(std::string_view text, const Places& places,
                                           const Limits& limits) {
  Scanner scanner(text);
  Builder builder(places, limits);
  for (;;) {
    Event event;
    if (!scanner.next(event.raw)) return stopped(scanner.raw(), builder.marks(), places.text());
    if (builder.take(event.raw)) continue;
    if (builder.problem()) return Stopped{*builder.problem()};
    return builder.take();
  }
}

std::size_t byte_of(std::string_view text, std::size_t index) {
  std::size_t byte = 0;
  for (; byte < text.size(); ++byte) {
    const bool inside = (static_cast<unsigned char>(text[byte]) & 0xC0) == 0x80;
    if (!inside && index-- == 0) break;
  }
  return byte;
}

/// Each repair costs another reading.
constexpr std::size_t k_most_repaired_bytes = 8 * 1024 * 1024;

void turn_back(Document& document) {
  for (auto& node : document.nodes) node.value = turned_back(node.value);
}

std::variant<Document, Problem> parse_repairing(std::string_view original, const Places& places,
                                                const Limits& limits) {
  std::string changed = without_unprintable(original).value_or("");
  for (std::size_t spent = 0;;) {
    const std::string_view text = changed.empty() ? original : std::string_view(changed);
    auto result = parse_text(text, places, limits);
    if (auto* document = std::get_if<Document>(&result)) {
      if (!changed.empty()) turn_back(*document);
      return std::move(*document);
    }
    auto& end = std::get<Stopped>(result);
    spent += text.size();
    if (!end.index || spent > k_most_repaired_bytes) return std::move(end.problem);
    if (changed.empty()) {
      if (has_replacements(original)) return std::move(end.problem);
      changed = original;
    }
    if (!repair_at(changed, byte_of(changed, *end.index), end.words)) return std::move(end.problem);
  }
}

}  // namespace

std::variant<Document, Problem> parse(std::string_view text, const Limits& limits) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.size() > limits.max_bytes) {
    return Problem{
        "The maximum file size of " + std::to_string(limits.max_bytes) + " bytes has been exceeded", {}, {}};
  }
  const Places places(text);
  if (const auto bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    return Problem{"The file is not UTF-8 text", places.at(bad), {}};
  }
  if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
    return Problem{"Control characters are not allowed", places.at(zero), {}};
  }
  try {
    return parse_repairing(text, places, limits);
  } catch (const std::bad_alloc&) {
    return Problem{"Not enough memory to read this file", {}, {}};
  }
}

}  // namespace drydock::parser::yaml
