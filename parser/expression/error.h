#pragma once
// ExpressionError: why an expression could not be read or evaluated, with GitHub's text, and Checked<T>: a
// value or that error. Plain values.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace drydock::parser::expression {

enum class Phase : std::uint8_t { lexing, parsing, evaluation };

/// "lexing", "parsing", "evaluation".
std::string_view name_of(Phase phase);

struct ExpressionError {
  Phase phase = Phase::parsing;
  std::string
      message;  // whole, as GitHub prints it: "Unexpected symbol: '='. Located at position 3 within …"
  std::string reason;      // its first part: "Unexpected symbol: '='"
  std::size_t offset = 0;  // bytes from the beginning of the text given
  std::size_t length = 0;  // bytes concerned; 0 when none can be named
};

template <class T>
class [[nodiscard]] Checked {
 public:
  Checked(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Checked(ExpressionError error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const ExpressionError& error() const& { return std::get<1>(state_); }
  ExpressionError&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, ExpressionError> state_;
};

}  // namespace drydock::parser::expression
