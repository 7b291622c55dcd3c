#pragma once
// The body of a call as a piece of an upload.

#include <functional>
#include <optional>

#include "runner/services/http_server.h"
#include "runner/services/upload.h"

namespace drydock::runner {

class PieceReader : public BodyReader {
 public:
  using OnError = std::function<HttpReply(const Error&)>;
  PieceReader(Upload::Piece piece, OnError on_error, std::function<HttpReply()> then)
      : piece_(std::move(piece)), on_error_(std::move(on_error)), then_(std::move(then)) {}

  std::optional<HttpReply> take(std::string_view bytes) override {
    const auto written = piece_->write(bytes);
    if (written) return std::nullopt;
    return on_error_(Status(written).error());
  }

  HttpReply finish() override {
    const auto ended = piece_->finish();
    piece_.reset();
    return ended ? then_() : on_error_(Status(ended).error());
  }

 private:
  std::optional<Upload::Piece> piece_;
  OnError on_error_;
  std::function<HttpReply()> then_;
};

}  // namespace drydock::runner
