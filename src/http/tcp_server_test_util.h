// For tests of code that talks to other servers: a TCP server that sends exactly the bytes that its script tells it to.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace cloister::http::testing {

// One accepted connection, in its script's thread.
class TcpPeer {
 public:
  explicit TcpPeer(int socket) : socket_(socket) {
    timeval limit{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  }

  // Reads one request, head and content-length body; "" when the client has closed.
  std::string read_request() {
    std::size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return "";
    }
    std::size_t size = 0;
    const std::size_t at = buffer_.find("content-length: ");
    const std::size_t upper = buffer_.find("Content-Length: ");
    if (at < end) size = std::stoul(buffer_.substr(at + 16));
    if (upper < end) size = std::stoul(buffer_.substr(upper + 16));
    while (buffer_.size() < end + 4 + size) {
      if (!receive()) return "";
    }
    std::string request = buffer_.substr(0, end + 4 + size);
    buffer_.erase(0, request.size());
    return request;
  }
  // Waits for the client's first bytes, or what comes next; returns how many are there.
  std::size_t wait_for_bytes() {
    receive();
    return buffer_.size();
  }
  // Returns false when the client has gone.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      sent_ += static_cast<std::size_t>(sent);
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Sends pieces of this many bytes, each in a segment of its own.
  bool send_in_pieces(std::string_view bytes, std::size_t size) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size()))) {
      if (!send(bytes.substr(0, size))) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }
  void reset() {
    const struct linger now { 1, 0 };
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  }
  // True when the client closes its side within 20 s.
  bool client_closes() {
    while (receive()) {
    }
    return !timed_out_;
  }
  std::size_t sent() const { return sent_; }

 private:
  bool receive() {
    char bytes[16384];
    const ssize_t got = ::recv(socket_, bytes, sizeof(bytes), 0);
    timed_out_ = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (got <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  int socket_;
  std::string buffer_;
  std::atomic<std::size_t> sent_{0};
  bool timed_out_ = false;
};

// Every connection runs the script in a thread of its own and is closed when the script returns.
class TcpServer {
 public:
  using Script = std::function<void(TcpPeer&)>;
  explicit TcpServer(Script script, std::uint16_t port = 0) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0)
      std::abort();
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~TcpServer() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    ::close(listener_);
    {
      const std::lock_guard lock(mutex_);
      for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
  }

  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int connections() const { return connections_; }

 private:
  void accept_all() {
    for (;;) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0 || stopping_) {
        if (socket >= 0) ::close(socket);
        return;
      }
      ++connections_;
      const std::lock_guard lock(mutex_);
      open_.push_back(socket);
      threads_.emplace_back([this, socket] {
        {
          TcpPeer peer(socket);
          script_(peer);
        }
        const std::lock_guard closing(mutex_);
        open_.remove(socket);
        ::close(socket);
      });
    }
  }

  Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::list<int> open_;
  std::list<std::thread> threads_;
  std::thread accepting_;
};

// A port that nobody listens on.
inline std::uint16_t closed_port() {
  TcpServer server([](TcpPeer&) {});
  return server.port();
}

}  // namespace cloister::http::testing
