#pragma once
// PlainPrinter: a run as lines of text for logs. Vertices are numbered; their output lines carry the number and the
// time since their start; steps are named by their job. One thread at a time.

#include <chrono>
#include <cstdio>
#include <map>
#include <string>

#include "runner/events/printer.h"

namespace drydock::runner {

enum class Colour { never, always };

class PlainPrinter : public Printer {
 public:
  PlainPrinter(std::FILE* out, Colour colour) : out_(out), colour_(colour) {}
  void on_event(const Event& event) override;
  void finish() override;

 protected:
  virtual void line(const std::string& text);

 private:
  struct Source {
    int number = 0;  // of a vertex
    std::chrono::system_clock::time_point begun{};  // of its first event: a kept run reads as it did
    std::string partial[2];  // an output line without its end
    bool announced = false;
    std::string name;
  };

  Source& source(const Event& event);
  std::string prefix(const Event& event, Source& source) const;
  void announce(const Event& event, Source& source);
  void log(const Event& event);
  void flush(const Event& event, Source& source);
  void vertex_finished(const Event& event);
  void step_finished(const Event& event);
  void message(const Event& event);
  std::string paint(const char* code, const std::string& text) const;

  std::FILE* out_;
  Colour colour_;
  std::map<std::string, Source> sources_;
  int next_ = 1;
};

}  // namespace drydock::runner
