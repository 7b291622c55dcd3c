#include "executors/base/archive_library.h"

#include "executors/base/shared_library.h"

#include <unistd.h>

#include <cstdio>

namespace drydock {

void* archive_function(const char* name) {
  static SharedLibrary library("libarchive.so.13");
  void (*function)() = nullptr;
  library.get(function, name);
  if (function) return reinterpret_cast<void*>(function);
  std::fprintf(stderr, "drydock: %s\n", library.problem().c_str());
  ::_exit(127);
}

}  // namespace drydock
