#include <csignal>

#include "executors/sandbox/emulation.h"

namespace drydock::sandbox {
namespace {

constexpr const char* k_crash_mend = "try again, use another QEMU version, or a native worker";

// Signals by which a broken emulator ends a sound program; SIGABRT is mostly the program's own.
bool is_crash_signal(int signal) {
  return signal == SIGSEGV || signal == SIGILL || signal == SIGBUS || signal == SIGTRAP;
}

// "qemu: uncaught target signal 11 (Segmentation fault) - core dumped": the signal, 0 when not there.
int uncaught_signal(std::string_view text, std::string& line) {
  constexpr std::string_view words = "qemu: uncaught target signal ";
  const auto at = text.rfind(words);
  if (at == std::string_view::npos) return 0;
  line = std::string(text.substr(at, text.find('\n', at) - at));
  int number = 0;
  for (const char c : text.substr(at + words.size())) {
    if (c < '0' || c > '9') break;
    number = number * 10 + (c - '0');
  }
  return number;
}

// The emulator's own complaints.
std::string emulator_complaint(std::string_view text) {
  for (const std::string_view words :
       {"qemu: unhandled CPU exception", "qemu: fatal:", "ERROR:../accel/tcg",
        "ERROR:../../accel/tcg", "ERROR:../tcg/", "bytes of virtual address space", "qemu_thread_create:",
        "cpu_exec: assertion failed"}) {
    const auto at = text.find(words);
    if (at == std::string_view::npos) continue;
    const auto start = text.rfind('\n', at);
    const auto from = start == std::string_view::npos ? 0 : start + 1;
    return std::string(text.substr(from, text.find('\n', at) - from));
  }
  return {};
}

bool says(std::string_view text, std::string_view words) { return text.find(words) != std::string_view::npos; }

}  // namespace

std::string_view name_of(FailureKind kind) {
  switch (kind) {
    case FailureKind::program: return "program";
    case FailureKind::emulator_crash: return "emulator_crash";
    case FailureKind::no_emulator: return "no_emulator";
    case FailureKind::killed: return "killed";
    case FailureKind::out_of_memory: return "out_of_memory";
  }
  return "program";
}

Failure classify_failure(int exit_code, int signal, std::string_view stderr_tail, Emulated emulated) {
  const int by_signal = signal ? signal : exit_code > 128 && exit_code <= 128 + 64 ? exit_code - 128 : 0;
  const auto status = "exit status " + std::to_string(exit_code);
  if (emulated == Emulated::yes) {
    std::string line;
    if (is_crash_signal(uncaught_signal(stderr_tail, line))) {
      return {FailureKind::emulator_crash, line, k_crash_mend};
    }
    if (auto complaint = emulator_complaint(stderr_tail); !complaint.empty()) {
      return {FailureKind::emulator_crash, std::move(complaint), k_crash_mend};
    }
    if (is_crash_signal(by_signal)) {
      return {FailureKind::emulator_crash, status + " (signal " + std::to_string(by_signal) + ") under QEMU",
              k_crash_mend};
    }
  }
  if (says(stderr_tail, "xec format error")) {
    return {FailureKind::no_emulator, status + ", exec format error",
            "a binary of another architecture without an emulator for it, or a script without a \"#!\" line"};
  }
  if (says(stderr_tail, "out of memory") || says(stderr_tail, "Cannot allocate memory")) {
    return {FailureKind::out_of_memory, status + ", out of memory", "give the machine more memory, or build fewer legs at once"};
  }
  if (by_signal == SIGKILL) {
    return {FailureKind::killed, status + ", killed", "if nobody stopped it, the machine ran out of memory"};
  }
  return {FailureKind::program, status, {}};
}

}  // namespace drydock::sandbox
