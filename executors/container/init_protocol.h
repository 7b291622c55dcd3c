#pragma once
// What drydock and the first process of a container say to each other. The channel is a SOCK_SEQPACKET socket, number
// 3 in the container. Each message is a Start with five descriptors: standard input, output and error, the payload (a
// file), and a SOCK_SEQPACKET control socket. On the control socket the container answers with Reports, and takes
// Signals; when it closes without an end, the program's session is killed. Plain data, native byte order: both ends
// run on one kernel. Used by a program without libraries, so nothing here may need one.

#include <cstdint>

namespace drydock::container::init {

inline constexpr int k_channel = 3;
inline constexpr int k_descriptors = 5;  // in, out, err, payload, control

enum class Task : std::uint32_t {
  run,     // the program, looked up in the PATH of its environment
  locate,  // writes the absolute path of the program to `out`; exit status 1 when there is none
};

struct Start {
  Task task = Task::run;
  std::uint32_t arguments = 0, assignments = 0;
  // The payload: working directory, arguments, assignments, each ended by a NUL.
  std::uint64_t size = 0;
};

/// The first message of the container, on the channel: it is up.
struct Hello {
  std::uint32_t version = 1;
};

enum class Event : std::int32_t { started, failed, ended };
enum class Step : std::int32_t { none, directory, exec };

struct Report {
  Event event = Event::started;
  Step step = Step::none;  // failed: which one …
  std::int32_t value = 0;  // … and errno; started: pid inside; ended: status as waitpid gives it
};

struct Signal {
  std::int32_t number = 0;  // to the program's process group
};

}  // namespace drydock::container::init
