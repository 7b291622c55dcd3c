#pragma once
// Replaces secrets by "***" in text that leaves the runner: each secret in its plain, per-line,
// base64 (all three alignments), URL-encoded and JSON-escaped form; never a single character.
// Thread-safe. A stream is masked through a Stream object, which holds back what may be the
// beginning of a secret until the next piece or the flush shows what it is.
// Follows actions/runner's ValueEncoders and add-mask.

#include <memory>
#include <string>
#include <string_view>

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
    const Masker& masker_;
    std::string held_;
  };

 private:
  friend class Stream;
  struct Patterns;
  std::unique_ptr<Patterns> patterns_;
};

}  // namespace drydock
