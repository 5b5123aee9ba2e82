#include "load/connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace cloister::bench {

namespace asio = boost::asio;
using boost::system::error_code;

Connection::Connection(asio::io_context& context, const asio::ip::tcp::endpoint& endpoint, ExchangeListener& listener)
    : socket_(context), endpoint_(endpoint), listener_(listener) {}

void Connection::open() {
  socket_.async_connect(endpoint_, [this](error_code error) {
    if (error == asio::error::operation_aborted) return;
    if (error) return give_up(ErrorCode::kNetwork, "connect: " + error.message());
    error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.non_blocking(true, ignored);
    listener_.on_open();
  });
}

void Connection::exchange(std::string_view request) {
  reader_.reset();
  error_code error;
  const std::size_t sent = socket_.write_some(asio::buffer(request), error);
  if (error && error != asio::error::would_block) return give_up(ErrorCode::kNetwork, "write: " + error.message());
  if (sent == request.size()) return read_some();
  unsent_ = request.substr(sent);
  write_rest();
}

void Connection::write_rest() {
  asio::async_write(socket_, asio::buffer(unsent_), [this](error_code error, std::size_t) {
    if (error == asio::error::operation_aborted) return;
    if (error) return give_up(ErrorCode::kNetwork, "write: " + error.message());
    read_some();
  });
}

void Connection::read_some() {
  // The connection waits first, because a read straight after the request would find nothing.
  socket_.async_wait(asio::ip::tcp::socket::wait_read, [this](error_code error) {
    if (error == asio::error::operation_aborted) return;
    if (error) return give_up(ErrorCode::kNetwork, "wait: " + error.message());
    const std::size_t count = socket_.read_some(asio::buffer(buffer_), error);
    if (error == asio::error::would_block) return read_some();
    if (error == asio::error::eof) return give_up(ErrorCode::kNetwork, "the server closed before the end of the reply");
    if (error) return give_up(ErrorCode::kNetwork, "read: " + error.message());
    on_read(count);
  });
}

void Connection::on_read(std::size_t count) {
  read_at_ = SteadyClock::now();
  auto complete = reader_.feed(std::string_view(buffer_.data(), count), *this);
  if (!complete) return give_up(complete.error().code, complete.error().message);
  if (!*complete) return read_some();
  if (reader_.closes()) return give_up(ErrorCode::kNetwork, "the server closes the connection after the reply");
  listener_.on_reply(reader_.status(), read_at_);
}

void Connection::close() {
  error_code ignored;
  socket_.close(ignored);
}

void Connection::give_up(ErrorCode code, const std::string& message) {
  close();
  listener_.on_failure(fail(code, message));
}

}  // namespace cloister::bench
