#pragma once
// Replaces secrets by "***" in text that leaves the runner: each secret in its plain, per-line,
// base64 (all three alignments), URL-encoded and JSON-escaped form; never a single character.
// Thread-safe. A stream is masked through a Stream object, which holds back what may be the
// beginning of a secret until the next piece or the flush shows what it is.
// Follows actions/runner's ValueEncoders and add-mask.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drydock {

class Masker {
 public:
  Masker();
  ~Masker();

  void add(std::string_view secret);
  std::string mask(std::string_view text) const;

  class Stream {
   public:
    explicit Stream(const Masker& masker) : masker_(masker) {}
    /// Text that is safe to show now.
    std::string feed(std::string_view piece);
    /// The rest.
    std::string flush();

   private:
    enum class Amount { safe, all };
    std::string advance(Amount amount);

    const Masker& masker_;
    std::string held_;
    std::size_t covered_ = 0;  // so many bytes at the front of held_ belong to a "***" that was shown …
    bool joined_ = false;      // … and a secret that begins right there adds no second one
  };

 private:
  friend class Stream;
  struct Patterns;
  std::unique_ptr<Patterns> patterns_;
};

}  // namespace drydock
