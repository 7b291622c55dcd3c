#pragma once
// LivePrinter: a run on a terminal: finished things scroll by, running ones stay below with their elapsed time,
// platform, and the last line of their output. Redraws ten times a second on a thread of its own.

#include <condition_variable>
#include <cstdio>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "runner/events/plain_printer.h"

namespace drydock::runner {

class LivePrinter : public PlainPrinter {
 public:
  explicit LivePrinter(std::FILE* out);
  ~LivePrinter() override;
  void on_event(const Event& event) override;
  void finish() override;
  void suspend() override;
  void resume() override;

 protected:
  void line(const std::string& text) override;

 private:
  struct Running {
    std::string key, name, leg, last;
    Execution execution = Execution::none;
    std::int64_t current = 0, total = 0;
    std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
    std::list<std::string> log;  // shown when it fails
  };

  void clock();
  void erase_block();
  void draw_block();
  std::string row(const Running& running, std::size_t width) const;
  Running* find(const std::string& key);
  void note_output(const Event& event);

  std::FILE* terminal_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;
  bool suspended_ = false;
  std::list<Running> running_;
  std::size_t drawn_ = 0;  // rows of the block on the screen
  std::thread clock_;
};

}  // namespace drydock::runner
