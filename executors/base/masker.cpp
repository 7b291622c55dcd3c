#include "executors/base/masker.h"

#include <array>
#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <vector>

#include "executors/base/masker_variants.h"

namespace drydock {
namespace {

constexpr std::string_view k_mask = "***";

/// Where secrets lie in a text: half-open, disjoint, not touching, in order.
struct Span {
  std::size_t begin, end;
};

/// Aho-Corasick: finds every occurrence of every form in one pass.
class Automaton {
 public:
  explicit Automaton(const std::set<std::string>& forms) {
    nodes_.emplace_back();
    for (const auto& form : forms) insert(form);
    for (const auto& [byte, node] : nodes_[0].next) root_[byte] = node;
    link();
  }

  /// `depth` becomes the length of the longest end of `text` that may be the beginning of a secret.
  std::vector<Span> scan(std::string_view text, std::size_t& depth) const {
    std::vector<Span> spans;
    std::uint32_t state = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      state = step(state, static_cast<unsigned char>(text[i]));
      if (const auto length = nodes_[state].longest) join(spans, {i + 1 - length, i + 1});
    }
    depth = nodes_[state].depth;
    return spans;
  }

 private:
  struct Node {
    std::vector<std::pair<unsigned char, std::uint32_t>> next;
    std::uint32_t fail = 0;
    std::uint32_t depth = 0;
    std::uint32_t longest = 0;  // of the forms that end here
  };

  void insert(const std::string& form) {
    std::uint32_t state = 0;
    for (const unsigned char byte : form) {
      std::uint32_t child = find(state, byte);
      if (!child) {
        child = static_cast<std::uint32_t>(nodes_.size());
        nodes_[state].next.emplace_back(byte, child);
        const auto depth = nodes_[state].depth + 1;
        nodes_.emplace_back().depth = depth;
      }
      state = child;
    }
    nodes_[state].longest = static_cast<std::uint32_t>(form.size());
  }

  std::uint32_t find(std::uint32_t state, unsigned char byte) const {
    for (const auto& [key, node] : nodes_[state].next) {
      if (key == byte) return node;
    }
    return 0;
  }

  std::uint32_t step(std::uint32_t state, unsigned char byte) const {
    while (state != 0) {
      if (const auto child = find(state, byte)) return child;
      state = nodes_[state].fail;
    }
    return root_[byte];
  }

  void link() {
    std::deque<std::uint32_t> queue;
    for (const auto& entry : nodes_[0].next) queue.push_back(entry.second);
    while (!queue.empty()) {
      const auto state = queue.front();
      queue.pop_front();
      for (const auto& [byte, child] : nodes_[state].next) {
        nodes_[child].fail = step(nodes_[state].fail, byte);
        if (nodes_[child].longest == 0) nodes_[child].longest = nodes_[nodes_[child].fail].longest;
        queue.push_back(child);
      }
    }
  }

  static void join(std::vector<Span>& spans, Span span) {
    while (!spans.empty() && spans.back().end >= span.begin) {
      span.begin = std::min(span.begin, spans.back().begin);
      spans.pop_back();
    }
    spans.push_back(span);
  }

  std::vector<Node> nodes_;
  std::array<std::uint32_t, 256> root_{};
};

}  // namespace

struct Masker::Patterns {
  std::mutex mutex;
  std::set<std::string> forms;
  std::shared_ptr<const Automaton> automaton;  // made when first needed after a change

  std::shared_ptr<const Automaton> current() {
    std::lock_guard lock(mutex);
    if (!automaton && !forms.empty()) automaton = std::make_shared<const Automaton>(forms);
    return automaton;
  }
};

Masker::Masker() : patterns_(std::make_unique<Patterns>()) {}
Masker::~Masker() = default;

void Masker::add(std::string_view secret) {
  auto forms = forms_of_secret(secret);
  std::lock_guard lock(patterns_->mutex);
  for (auto& form : forms) {
    if (patterns_->forms.insert(std::move(form)).second) patterns_->automaton = nullptr;
  }
}

std::string Masker::mask(std::string_view text) const {
  Stream stream(*this);
  auto out = stream.feed(text);
  return out + stream.flush();
}

std::string Masker::Stream::feed(std::string_view piece) {
  held_ += piece;
  return advance(Amount::safe);
}

std::string Masker::Stream::flush() {
  auto out = advance(Amount::all);
  held_.clear();
  covered_ = 0;
  joined_ = false;
  return out;
}

std::string Masker::Stream::advance(Amount amount) {
  std::size_t depth = 0;
  std::vector<Span> spans;
  if (const auto automaton = masker_.patterns_->current()) spans = automaton->scan(held_, depth);
  // No secret that is not known yet begins before the cut.
  const auto cut = amount == Amount::all ? held_.size() : held_.size() - depth;

  std::size_t position = 0;
  std::size_t masked_to = covered_;
  bool joined = joined_;
  std::string out;
  for (const auto& span : spans) {
    if (joined && span.begin <= masked_to) {
      masked_to = std::max(masked_to, span.end);
      continue;
    }
    if (span.begin >= cut) break;
    position = std::max(position, std::min(masked_to, cut));
    out.append(held_, position, span.begin - position);
    out += k_mask;
    masked_to = span.end;
    joined = true;
  }
  position = std::max(position, std::min(masked_to, cut));
  out.append(held_, position, cut - position);
  joined_ = joined && masked_to >= cut;
  covered_ = joined_ ? masked_to - cut : 0;
  held_.erase(0, cut);
  return out;
}

}  // namespace drydock
