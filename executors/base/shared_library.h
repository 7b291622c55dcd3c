#pragma once
// Shared libraries that are loaded at their first use: most runs need none of them, and with what they bring along they
// would cost every start 5 ms (docs/adr/0018-libraries-loaded-at-first-use.md). Thread-safe.

#include <string>

namespace drydock {

class SharedLibrary {
 public:
  /// `name` as the loader finds it: "libcurl.so.4". It stays until the process ends.
  explicit SharedLibrary(const char* name);

  /// Puts its function `name` into `function`; from then on problem() may tell that it is not there.
  template <class Function>
  void get(Function*& function, const char* name) {
    function = reinterpret_cast<Function*>(find(name));
  }
  /// Why something could not be loaded, with the mend; empty when all is well.
  const std::string& problem() const { return problem_; }

 private:
  void* find(const char* name);

  void* handle_;
  std::string problem_;
};

}  // namespace drydock
