#include "executors/container/forwarder.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "executors/container/net_sockets.h"

namespace drydock::container {

struct Forwarder::State {
  OwnedFd stop{::eventfd(0, EFD_CLOEXEC)};
  std::mutex mutex;
  std::condition_variable changed;
  int threads = 0;
};

namespace {

constexpr std::size_t k_piece = 64 * 1024;
constexpr auto k_udp_idle = std::chrono::seconds(60);

/// One direction of a TCP connection: what was read and not yet written.
struct Flow {
  int from, to;
  std::vector<char> buffer = std::vector<char>(k_piece);
  std::size_t begin = 0, end = 0;
  bool open = true;

  bool wants_read() const { return open && end == 0; }
  bool wants_write() const { return end > begin; }
  bool read_some() {
    const auto size = ::recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (size < 0) return false;
    if (size == 0) {
      open = false;
      ::shutdown(to, SHUT_WR);
      return true;
    }
    end = static_cast<std::size_t>(size);
    return write_some();
  }
  bool write_some() {
    const auto size = ::send(to, buffer.data() + begin, end - begin, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    begin += static_cast<std::size_t>(size);
    if (begin == end) begin = end = 0;
    return true;
  }
};

void relay(int stop, int left, int right) {
  Flow there{left, right}, back{right, left};
  while (there.open || back.open || there.wants_write() || back.wants_write()) {
    const auto events = [](const Flow& in, const Flow& out) {
      return static_cast<short>((in.wants_read() ? POLLIN : 0) | (out.wants_write() ? POLLOUT : 0));
    };
    std::array<pollfd, 3> items{{{left, events(there, back), 0}, {right, events(back, there), 0}, {stop, POLLIN, 0}}};
    if (items[0].events == 0) items[0].fd = -1;
    if (items[1].events == 0) items[1].fd = -1;
    if (::poll(items.data(), items.size(), -1) < 0 && errno != EINTR) return;
    if (items[2].revents) return;
    const auto failed = [](const pollfd& item) { return (item.revents & (POLLERR | POLLNVAL)) != 0; };
    if (failed(items[0]) || failed(items[1])) return;
    if (there.wants_write() && (items[1].revents & POLLOUT) && !there.write_some()) return;
    if (back.wants_write() && (items[0].revents & POLLOUT) && !back.write_some()) return;
    if (there.wants_read() && (items[0].revents & (POLLIN | POLLHUP)) && !there.read_some()) return;
    if (back.wants_read() && (items[1].revents & (POLLIN | POLLHUP)) && !back.read_some()) return;
  }
}

/// Starts a thread that the forwarder's end waits for.
template <class State, class Work>
void start_thread(const std::shared_ptr<State>& state, Work work) {
  {
    const std::lock_guard lock(state->mutex);
    ++state->threads;
  }
  std::thread([state, work = std::move(work)]() mutable {
    work(state->stop.get());
    const std::lock_guard lock(state->mutex);
    --state->threads;
    state->changed.notify_all();
  }).detach();
}

template <class State>
void accept_all(const std::shared_ptr<State>& state, int listener, const ForwardTarget& target) {
  for (;;) {
    std::array<pollfd, 2> items{{{listener, POLLIN, 0}, {state->stop.get(), POLLIN, 0}}};
    if (::poll(items.data(), items.size(), -1) < 0 && errno != EINTR) return;
    if (items[1].revents) return;
    if (!items[0].revents) continue;
    auto taken = std::make_shared<OwnedFd>(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (taken->get() < 0) continue;
    start_thread(state, [taken, target](int stop) {
      auto other = connected_socket(target.network, Transport::tcp, target.address, target.port);
      if (other) return relay(stop, taken->get(), other->get());
      // As if nobody listened: the peer sees its connection reset.
      const linger now{1, 0};
      ::setsockopt(taken->get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    });
  }
}

using Peer = std::vector<char>;
struct Session {
  OwnedFd socket;
  std::chrono::steady_clock::time_point used;
};

/// Datagrams: each sender gets a socket of its own, so that answers find their way back.
void pass_datagrams(int stop, int listener, const ForwardTarget& target) {
  std::map<Peer, Session> sessions;
  std::vector<char> buffer(k_piece);
  for (;;) {
    std::vector<pollfd> items{{listener, POLLIN, 0}, {stop, POLLIN, 0}};
    std::vector<const Peer*> peers;
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(sessions, [&](const auto& entry) { return now - entry.second.used > k_udp_idle; });
    for (const auto& [peer, session] : sessions) {
      items.push_back({session.socket.get(), POLLIN, 0});
      peers.push_back(&peer);
    }
    if (::poll(items.data(), items.size(), 10000) < 0 && errno != EINTR) return;
    if (items[1].revents) return;
    for (std::size_t i = 0; i < peers.size(); ++i) {
      if (!items[i + 2].revents) continue;
      const auto size = ::recv(items[i + 2].fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (size < 0) continue;
      ::sendto(listener, buffer.data(), static_cast<std::size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(peers[i]->data()), static_cast<socklen_t>(peers[i]->size()));
    }
    if (!items[0].revents) continue;
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    const auto size = ::recvfrom(listener, buffer.data(), buffer.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &length);
    if (size < 0) continue;
    const auto* bytes = reinterpret_cast<const char*>(&from);
    auto& session = sessions[Peer(bytes, bytes + length)];
    if (session.socket.get() < 0) {
      auto made = connected_socket(target.network, Transport::udp, target.address, target.port);
      if (!made) continue;
      session.socket = std::move(*made);
    }
    session.used = now;
    ::send(session.socket.get(), buffer.data(), static_cast<std::size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}

}  // namespace

Forwarder::Forwarder() : state_(std::make_shared<State>()) {}

Forwarder::~Forwarder() {
  ::eventfd_write(state_->stop.get(), 1);
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [this] { return state_->threads == 0; });
}

void Forwarder::forward(Transport transport, OwnedFd listener, ForwardTarget target) {
  auto held = std::make_shared<OwnedFd>(std::move(listener));
  start_thread(state_, [state = state_, transport, held, target = std::move(target)](int stop) {
    if (transport == Transport::tcp) accept_all(state, held->get(), target);
    else pass_datagrams(stop, held->get(), target);
  });
}

}  // namespace drydock::container
