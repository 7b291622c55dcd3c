#include "executors/container/message_channel.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace drydock::container {
namespace {

constexpr std::size_t k_most_descriptors = 8;

}  // namespace

Status MessageChannel::send(const nlohmann::json& body, const std::vector<int>& descriptors) {
  nlohmann::json whole = body;
  whole["descriptors"] = descriptors.size();
  const auto text = whole.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  std::string_view rest = text;
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int) * k_most_descriptors)] = {};
  const std::lock_guard lock(mutex_);
  bool with = !descriptors.empty();
  while (!rest.empty()) {
    iovec part{const_cast<char*>(rest.data()), rest.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (with) {
      header.msg_control = space;
      header.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
      cmsghdr* rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
      std::memcpy(CMSG_DATA(rights), descriptors.data(), sizeof(int) * descriptors.size());
    }
    const auto size = ::sendmsg(socket_.get(), &header, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return make_error(ErrorCode::cancelled, "the other side is gone");
    with = false;
    rest.remove_prefix(static_cast<std::size_t>(size));
  }
  return {};
}

std::optional<Message> MessageChannel::receive() {
  for (;;) {
    if (const auto end = buffer_.find('\n', searched_); end != std::string::npos) {
      Message message;
      message.body = nlohmann::json::parse(buffer_.substr(0, end), nullptr, false);
      buffer_.erase(0, end + 1);
      searched_ = 0;
      if (!message.body.is_object()) continue;
      const auto count = std::min(message.body.value("descriptors", std::size_t{0}), received_.size());
      for (std::size_t i = 0; i < count; ++i) message.descriptors.push_back(std::move(received_[i]));
      received_.erase(received_.begin(), received_.begin() + static_cast<long>(count));
      return message;
    }
    searched_ = buffer_.size();
    char piece[65536];
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int) * k_most_descriptors)] = {};
    iovec part{piece, sizeof piece};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = space;
    header.msg_controllen = sizeof space;
    const auto size = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return std::nullopt;
    for (cmsghdr* rights = CMSG_FIRSTHDR(&header); rights; rights = CMSG_NXTHDR(&header, rights)) {
      if (rights->cmsg_type != SCM_RIGHTS) continue;
      const auto count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int number;
        std::memcpy(&number, CMSG_DATA(rights) + i * sizeof(int), sizeof number);
        received_.emplace_back(number);
      }
    }
    buffer_.append(piece, static_cast<std::size_t>(size));
  }
}

void MessageChannel::close() { ::shutdown(socket_.get(), SHUT_RDWR); }

}  // namespace drydock::container
