#include "source/session.h"

#include <boost/asio/write.hpp>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace cloister::bench {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t kRequestLimitBytes = 4u << 20;

// Returns `front` + filling + `back`, which have `size` bytes in all where that is possible.
std::string fill(const std::string& front, const std::string& back, std::size_t size) {
  std::string out = front;
  while (out.size() + back.size() < size) out += "lorem ipsum "[out.size() % 12];
  return out + back;
}

std::string chunk(const std::string& bytes) {
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}

// Reads Content-Length as clients of this source write it: once, in plain digits. Returns 0 when there is none.
std::size_t body_length(std::string_view head) {
  for (const std::string_view name : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
    const std::size_t at = head.find(name);
    if (at != std::string_view::npos) return std::strtoul(head.data() + at + name.size(), nullptr, 10);
  }
  return 0;
}

}  // namespace

SourceReplies::SourceReplies(const SourceOptions& from) : options(from) {
  const std::string body =
      fill("{\"id\":\"chatcmpl-direct\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":"
           "\"echo\","
           "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"",
           "\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":300,"
           "\"total_tokens\":400}}",
           options.reply_bytes);
  buffered = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
             "\r\n\r\n" + body;
  const std::string list =
      "{\"object\":\"list\",\"data\":[{\"id\":\"echo\",\"object\":\"model\",\"created\":1700000000,"
      "\"owned_by\":\"bench\"}]}";
  models = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(list.size()) +
           "\r\n\r\n" + list;
  stream_head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
                "Transfer-Encoding: chunked\r\n\r\n";
  event = chunk(fill("data: "
                     "{\"id\":\"chatcmpl-direct\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
                     "\"model\":\"echo\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"",
                     "\"},\"finish_reason\":null}]}\n\n", options.event_bytes));
  end = chunk("data: [DONE]\n\n") + "0\r\n\r\n";
}

Session::Session(asio::ip::tcp::socket socket, const SourceReplies& replies)
    : socket_(std::move(socket)), timer_(socket_.get_executor()), replies_(replies) {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

void Session::read_some() {
  socket_.async_read_some(asio::buffer(buffer_), [self = shared_from_this()](error_code error, std::size_t count) {
    if (error) return;
    self->input_.append(self->buffer_.data(), count);
    if (self->input_.size() > kRequestLimitBytes) return;
    if (self->take_request()) return self->answer();
    self->read_some();
  });
}

bool Session::take_request() {
  const std::size_t head_end = input_.find("\r\n\r\n");
  if (head_end == std::string::npos) return false;
  const std::size_t size = head_end + 4 + body_length(std::string_view(input_).substr(0, head_end + 2));
  if (input_.size() < size) return false;
  wants_models_ = input_.starts_with("GET /v1/models ");
  wants_stream_ =
      std::string_view(input_).substr(head_end, size - head_end).find("\"stream\":true") != std::string_view::npos;
  input_.erase(0, size);
  return true;
}

void Session::answer() {
  if (wants_stream_) return begin_stream();
  send(wants_models_ ? replies_.models : replies_.buffered, &Session::read_some);
}

void Session::begin_stream() {
  sent_events_ = 0;
  first_at_ = steady_clock::now() + replies_.options.first_event;
  out_ = replies_.stream_head;
  send(out_, &Session::wait_for_event);
}

void Session::wait_for_event() {
  if (sent_events_ == replies_.options.events) return send(replies_.end, &Session::read_some);
  // The times are absolute, so that an event that is sent late does not delay the events after it.
  const auto due = first_at_ + sent_events_ * replies_.options.gap;
  if (due <= steady_clock::now()) return send_events();
  timer_.expires_at(due);
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error) self->send_events();
  });
}

void Session::send_events() {
  ++sent_events_;
  send(replies_.event, &Session::wait_for_event);
}

void Session::send(const std::string& bytes, void (Session::*then)()) {
  asio::async_write(socket_, asio::buffer(bytes), [self = shared_from_this(), then](error_code error, std::size_t) {
    if (!error) (*self.*then)();
  });
}

}  // namespace cloister::bench
