#include "executors/base/shared_library.h"

#include <dlfcn.h>

namespace drydock {
namespace {

std::string loader_problem() {
  const char* why = dlerror();
  return std::string(why ? why : "the loader does not say why") + "; install the package of this library";
}

}  // namespace

SharedLibrary::SharedLibrary(const char* name) : handle_(dlopen(name, RTLD_NOW | RTLD_LOCAL)) {
  if (!handle_) problem_ = loader_problem();
}

void* SharedLibrary::find(const char* name) {
  if (!handle_) return nullptr;
  void* symbol = dlsym(handle_, name);
  if (!symbol && problem_.empty()) problem_ = loader_problem();
  return symbol;
}

}  // namespace drydock
