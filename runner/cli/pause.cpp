#include "runner/cli/pause.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <mutex>
#include <thread>

namespace drydock::runner {

namespace {

/// The user's terminal hands every key on as it is typed, until the end of this object's life.
class RawTerminal {
 public:
  RawTerminal() : changed_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    termios raw = before_;
    ::cfmakeraw(&raw);
    if (changed_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
  }
  ~RawTerminal() {
    if (changed_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  termios before_{};
  bool changed_;
};

void put(std::string_view text) {
  while (!text.empty()) {
    const auto count = ::write(STDOUT_FILENO, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

/// Hands what is typed on to the shell, through a named pipe in the job's temporary folder: that has the same path in
/// every isolation, which a terminal's device has not.
class Keys {
 public:
  explicit Keys(const std::string& pipe) : pipe_(pipe), end_(::eventfd(0, EFD_CLOEXEC)) {
    ::unlink(pipe.c_str());
    ready_ = ::mkfifo(pipe.c_str(), 0600) == 0;
    // For reading too, so that opening waits for nobody.
    out_ = ready_ ? ::open(pipe.c_str(), O_RDWR | O_CLOEXEC) : -1;
    if (out_ >= 0) thread_ = std::thread([this] { run(); });
  }
  ~Keys() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto told = ::write(end_, &one, sizeof one);
    if (thread_.joinable()) thread_.join();
    if (out_ >= 0) ::close(out_);
    ::close(end_);
    ::unlink(pipe_.c_str());
  }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;
  bool ok() const { return out_ >= 0; }

 private:
  void run() const {
    std::array<char, 4096> buffer{};
    while (true) {
      std::array<pollfd, 2> watched{{{STDIN_FILENO, POLLIN, 0}, {end_, POLLIN, 0}}};
      if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;
      if (watched[1].revents) return;
      if (!watched[0].revents) continue;
      const auto count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
      if (count <= 0) {
        // The terminal is gone: end the shell, as a terminal would.
        static constexpr char k_end_of_input = 4;
        (void)!::write(out_, &k_end_of_input, 1);
        return;
      }
      (void)!::write(out_, buffer.data(), static_cast<std::size_t>(count));
    }
  }

  std::string pipe_;
  int end_, out_ = -1;
  bool ready_ = false;
  std::thread thread_;
};

std::string terminal_size() {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) return "rows 24 cols 80";
  return "rows " + std::to_string(window.ws_row) + " cols " + std::to_string(window.ws_col);
}

/// A terminal of its own inside the place, by script(1); without it a shell that knows no job control.
std::string command_for(const std::string& pipe) {
  const std::string shell = "if command -v bash >/dev/null; then exec bash -i; else exec sh -i; fi";
  return "stty_size='" + terminal_size() + "'\n"
         "if command -v script >/dev/null; then\n"
         "  exec script -qfec \"stty $stty_size; " + shell + "\" /dev/null <'" + pipe + "'\n"
         "fi\n"
         "exec sh -i <'" + pipe + "' 2>&1\n";
}

void explain(const step::FailedStep& failed) {
  std::printf("\n[%s] step %s failed: %s\n%s\nA shell in its place. The job goes on when you leave it with `exit`.\n\n",
              failed.request.key.c_str(), failed.position.c_str(), failed.name.c_str(), failed.message.c_str());
  std::fflush(stdout);
}

}  // namespace

bool can_pause() { return ::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO); }

void pause(const step::FailedStep& failed, Console& console, std::stop_token stop) {
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  if (stop.stop_requested()) return;
  const std::string pipe = failed.request.places.temp + "/_pause";
  Result<ProcessResult> ended = make_error(ErrorCode::io, "no pipe could be made at " + pipe);
  console.suspend();
  explain(failed);
  {
    const Keys keys(pipe);
    const RawTerminal raw;
    ProcessSpec spec;
    spec.argv = {"/bin/sh", "-c", command_for(pipe)};
    spec.environment = failed.environment;
    spec.environment->try_emplace("TERM", "xterm");
    spec.directory = failed.directory;
    spec.on_stdout = spec.on_stderr = [&](std::string_view text) { put(console.masker().mask(text)); };
    if (keys.ok()) ended = failed.host.run(spec, stop);
  }
  console.resume();
  if (!ended) console.bus().warning("no shell in the place of the failed step: " + ended.error().to_string());
}

}  // namespace drydock::runner
