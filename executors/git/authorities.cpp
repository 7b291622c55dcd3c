#include "executors/git/repository.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <mutex>

namespace drydock::git {
namespace {

enum class Reading { later, now };
std::atomic<Reading> reading{Reading::later};
std::string machines_file;  // written while libgit2 starts

const char* set_in_environment(const char* name) {
  const char* value = std::getenv(name);
  return value && *value ? value : nullptr;
}

}  // namespace

Status trust_environment() {
  start();
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const char* file = set_in_environment("SSL_CERT_FILE");
  const char* directory = set_in_environment("SSL_CERT_DIR");
  if (!file && !directory && !machines_file.empty()) file = machines_file.c_str();
  if (!file && !directory) return {};
  reading = Reading::now;
  const int answer = ::git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, file, directory);
  reading = Reading::later;
  if (answer == 0) return {};
  return failure(ErrorCode::environment, "certificate authorities").with_mend("check SSL_CERT_FILE and SSL_CERT_DIR");
}

}  // namespace drydock::git

/// Stands before mbedTLS's function of this name, which libgit2 calls when it starts (git_mbedtls_stream_global_init):
/// reading all authorities of the machine took a fifth of an empty job's time, and hardly a run connects with libgit2.
/// They are read by trust_environment() instead. Never called where libgit2 uses another TLS library.
extern "C" __attribute__((visibility("default"))) int mbedtls_x509_crt_parse_file(void* chain, const char* path) {
  if (drydock::git::reading == drydock::git::Reading::later) {
    drydock::git::machines_file = path;
    return 0;
  }
  static const auto parse = reinterpret_cast<int (*)(void*, const char*)>(::dlsym(RTLD_NEXT, "mbedtls_x509_crt_parse_file"));
  return parse ? parse(chain, path) : -1;
}
