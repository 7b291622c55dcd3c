#pragma once
// MessageChannel: JSON messages, and descriptors with them, over a stream socket. Sending is thread-safe; receiving is
// for one thread. Internal to this room.

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "executors/base/process_launch.h"
#include "executors/base/result.h"

namespace drydock::container {

struct Message {
  nlohmann::json body;
  std::vector<OwnedFd> descriptors;
};

class MessageChannel {
 public:
  explicit MessageChannel(OwnedFd socket) : socket_(std::move(socket)) {}

  /// The descriptors stay the caller's. cancelled when the other side is gone.
  Status send(const nlohmann::json& body, const std::vector<int>& descriptors = {});
  /// Nothing at the end.
  std::optional<Message> receive();
  /// Ends both directions: receive() of either side returns nothing.
  void close();

 private:
  OwnedFd socket_;
  std::mutex mutex_;
  std::string buffer_;
  std::size_t searched_ = 0;
  std::vector<OwnedFd> received_;
};

}  // namespace drydock::container
