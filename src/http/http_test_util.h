// For the tests of this folder: a server with a scriptable handler, and a raw client that sends exactly the given bytes
// and shows exactly the bytes that come back.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/server.h"

namespace cloister::http::testing {

// Waits for something that another thread does; fails the test instead of hanging.
class Signal {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] bool wait(int seconds = 10) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(seconds), [&] { return set_; });
  }
  bool is_set() {
    const std::lock_guard lock(mutex_);
    return set_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

class ScriptHandler : public Handler {
 public:
  std::function<void(std::shared_ptr<Exchange>)> on_request = [](const std::shared_ptr<Exchange>& exchange) {
    Response response;
    response.content_type = "text/plain";
    response.body = exchange->request().method + " " + exchange->request().path + " " + exchange->request().body;
    exchange->respond(std::move(response));
  };
  std::function<Admission(const RequestHead&)> on_admit = [](const RequestHead&) {
    return Admission{1u << 20, nullptr};
  };

  // When set, it is asked in the place of on_admit.
  std::function<std::optional<Admission>(const RequestHead&, Parking&)> on_parking;

  std::optional<Admission> admit(const RequestHead& head, Parking& parking) override {
    return on_parking ? on_parking(head, parking) : on_admit(head);
  }
  void handle(std::shared_ptr<Exchange> exchange) override { on_request(std::move(exchange)); }
  Response protocol_error(int status, std::string_view message, std::string_view) override {
    Response response;
    response.status = status;
    response.body = "{\"error\":\"" + std::string(message) + "\"}";
    return response;
  }
};

inline ServerOptions loopback_options() {
  ServerOptions options;
  options.port = 0;
  options.threads = 1;
  return options;
}

struct RawReply {
  int status = 0;
  std::string head;
  std::string body;       // without framing
  bool complete = false;  // according to its framing
  bool has(std::string_view line) const { return head.find("\r\n" + std::string(line) + "\r\n") != std::string::npos; }
};

class RawClient {
 public:
  // `source`: the last byte of the address in 127.0.0.0/24 that it comes from.
  explicit RawClient(std::uint16_t port, int receive_buffer = 0, std::uint8_t source = 1)
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + source);
    ::bind(socket_, reinterpret_cast<const sockaddr*>(&from), sizeof(from));
    if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    timeval limit{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  RawClient(RawClient&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_), buffer_(std::move(other.buffer_)) {}
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { close(); }

  bool connected() const { return connected_; }
  int socket() const { return socket_; }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  void reset() {
    const struct linger now { 1, 0 };
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close();
  }
  void shut_write() { ::shutdown(socket_, SHUT_WR); }

  // Returns false when the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // Appends what comes next to the buffer. Returns false at the end of the stream, on a reset and after 20 s.
  bool receive() {
    char bytes[16384];
    const ssize_t got = ::recv(socket_, bytes, sizeof(bytes), 0);
    if (got <= 0) {
      was_reset_ = got < 0 && errno == ECONNRESET;
      timed_out_ = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
      return false;
    }
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
  // Returns all bytes until the server closes.
  std::string read_to_end() {
    while (receive()) {
    }
    return std::exchange(buffer_, {});
  }
  std::string read_exactly(std::size_t size) {
    while (buffer_.size() < size && receive()) {
    }
    std::string out = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return out;
  }
  // Returns the bytes up to and with `mark`; what there is when the stream ends first.
  std::string read_through(std::string_view mark) {
    std::size_t at;
    while ((at = buffer_.find(mark)) == std::string::npos) {
      if (!receive()) return std::exchange(buffer_, {});
    }
    return read_exactly(at + mark.size());
  }
  RawReply read_reply(bool head_only = false) {
    RawReply reply;
    reply.head = read_through("\r\n\r\n");
    if (reply.head.size() < 12) return reply;
    reply.status = std::stoi(reply.head.substr(9, 3));
    if (reply.status == 100) return read_reply(head_only);
    if (head_only) {
      reply.complete = true;
    } else if (reply.has("transfer-encoding: chunked")) {
      reply.complete = read_chunks(reply.body);
    } else if (const auto at = reply.head.find("content-length: "); at != std::string::npos) {
      const std::size_t size = std::stoul(reply.head.substr(at + 16));
      reply.body = read_exactly(size);
      reply.complete = reply.body.size() == size;
    } else {
      reply.body = read_to_end();
      reply.complete = !was_reset_ && !timed_out_;
    }
    return reply;
  }
  bool at_end() { return buffer_.empty() && !receive() && !timed_out_; }
  bool was_reset() const { return was_reset_; }
  bool has_input(int milliseconds) {
    pollfd item{socket_, POLLIN, 0};
    return !buffer_.empty() || ::poll(&item, 1, milliseconds) > 0;
  }

 private:
  bool read_chunks(std::string& body) {
    for (;;) {
      const std::string line = read_through("\r\n");
      std::size_t size = 0;
      if (line.size() < 3 || std::from_chars(line.data(), line.data() + line.size() - 2, size, 16).ptr == line.data()) {
        return false;
      }
      const std::string data = read_exactly(size + 2);
      if (data.size() != size + 2 || !data.ends_with("\r\n")) {
        body += data;
        return false;
      }
      body.append(data, 0, size);
      if (size == 0) return true;
    }
  }

  int socket_;
  bool connected_ = false;
  bool was_reset_ = false;
  bool timed_out_ = false;
  std::string buffer_;
};

// Records what an observer sees.
class RecordingObserver : public ReplyObserver {
 public:
  void on_body(std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    bytes_ += bytes;
    ++calls_;
  }
  End on_complete(const std::shared_ptr<Exchange>&) override {
    const std::lock_guard lock(mutex_);
    complete_ = true;
    return End::kSend;
  }
  void on_cut() override {
    const std::lock_guard lock(mutex_);
    ++cuts_;
  }
  int cuts() {
    const std::lock_guard lock(mutex_);
    return cuts_;
  }
  std::string bytes() {
    const std::lock_guard lock(mutex_);
    return bytes_;
  }
  bool complete() {
    const std::lock_guard lock(mutex_);
    return complete_;
  }
  std::size_t calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  std::mutex mutex_;
  std::string bytes_;
  std::size_t calls_ = 0;
  int cuts_ = 0;
  bool complete_ = false;
};

class ServerTest : public ::testing::Test {
 protected:
  void serve(ServerOptions options = loopback_options()) {
    auto server = Server::start(options, handler_);
    ASSERT_TRUE(server) << server.error().to_string();
    server_ = std::move(*server);
  }
  void TearDown() override { server_.reset(); }
  RawClient client(int receive_buffer = 0) {
    RawClient out(server_->port(), receive_buffer);
    EXPECT_TRUE(out.connected());
    return out;
  }
  // Sends one request on a connection of its own and reads one reply.
  RawReply ask(std::string_view bytes) {
    RawClient raw = client();
    raw.send(bytes);
    return raw.read_reply();
  }

  ScriptHandler handler_;
  std::unique_ptr<Server> server_;
};

}  // namespace cloister::http::testing
