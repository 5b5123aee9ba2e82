// One connection of the direct source. It reads a request and answers with fixed bytes, again and again. It has no
// model, no hash and no signature, so that it shows the least cost of an HTTP engine. It runs on the thread of the
// io_context.
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>

namespace cloister::bench {

struct SourceOptions {
  std::size_t reply_bytes = 1536;  // body of a buffered reply
  std::size_t event_bytes = 250;   // one event with its framing
  int events = 100;                // events of a stream, not counting [DONE]
  std::chrono::microseconds first_event{0};
  std::chrono::microseconds gap{20000};
};

// The bytes that are sent. They are made once.
struct SourceReplies {
  explicit SourceReplies(const SourceOptions& options);
  SourceOptions options;
  std::string buffered;  // head and body
  std::string models;    // the same for GET /v1/models, which a proxy may ask for
  std::string stream_head;
  std::string event;  // one chunk with one event
  std::string end;    // [DONE] and the last chunk
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(boost::asio::ip::tcp::socket socket, const SourceReplies& replies);
  void start() { read_some(); }

 private:
  void read_some();
  // Returns true when the request at the front of input_ is complete. The request is then removed.
  bool take_request();
  void answer();
  void begin_stream();
  void wait_for_event();
  void send_events();
  // Writes the bytes, then calls the member function.
  void send(const std::string& bytes, void (Session::*then)());

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  const SourceReplies& replies_;
  std::array<char, 8192> buffer_;
  std::string input_;
  bool wants_stream_ = false;
  bool wants_models_ = false;
  std::chrono::steady_clock::time_point first_at_;
  int sent_events_ = 0;
  std::string out_;
};

}  // namespace cloister::bench
