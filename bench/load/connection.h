// One keep-alive HTTP/1.1 connection with one exchange at a time. It reports the time at which every piece of the body
// was read. It runs on the thread of the io_context.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "load/reply_reader.h"
#include "load/stats.h"

namespace cloister::bench {

class ExchangeListener {
 public:
  virtual ~ExchangeListener() = default;
  virtual void on_open() = 0;
  // `at` is the time of the read that brought the bytes.
  virtual void on_body(std::string_view bytes, TimePoint at) = 0;
  virtual void on_reply(int status, TimePoint at) = 0;
  // The connection cannot be used any more.
  virtual void on_failure(const Error& error) = 0;
};

class Connection : private BodySink {
 public:
  Connection(boost::asio::io_context& context, const boost::asio::ip::tcp::endpoint& endpoint,
             ExchangeListener& listener);
  // Connects, then calls on_open().
  void open();
  // Sends a request and reads the reply, then calls on_reply(). The bytes are copied when the socket does not take them
  // at once.
  void exchange(std::string_view request);
  void close();

 private:
  void write_rest();
  void read_some();
  void on_read(std::size_t count);
  void on_body(std::string_view bytes) override { listener_.on_body(bytes, read_at_); }
  void give_up(ErrorCode code, const std::string& message);

  boost::asio::ip::tcp::socket socket_;
  boost::asio::ip::tcp::endpoint endpoint_;
  ExchangeListener& listener_;
  ReplyReader reader_;
  TimePoint read_at_;
  std::string unsent_;
  std::array<char, 16384> buffer_;
};

}  // namespace cloister::bench
