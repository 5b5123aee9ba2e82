#include "http/outgoing_reader.h"

#include <string.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>

#include "http/response_writer.h"

namespace cloister::http {
namespace {

namespace beast_http = boost::beast::http;

constexpr std::uint32_t kHeaderLimitBytes = 64u << 10;
constexpr std::size_t kMostReadBytes = 64u << 10;
constexpr std::size_t kLongestKept = 128;  // of a header's name

}  // namespace

OutgoingReader::OutgoingReader(Owner& owner, bool (*keep_header)(std::string_view))
    : owner_(owner), keep_header_(keep_header) {
  header_limit(kHeaderLimitBytes);
  body_limit(std::numeric_limits<std::uint64_t>::max());  // nothing of the body is kept here
}

OutgoingReader::~OutgoingReader() {
  if (!secret_) return;
  for (std::string* const used : {&kept_, &rest_}) {
    used->resize(used->capacity());
    ::explicit_bzero(used->data(), used->size());
  }
}

void OutgoingReader::keep_secret() {
  secret_ = true;
  kept_.reserve(kHeaderLimitBytes + kMostReadBytes);
  rest_.reserve(kHeaderLimitBytes + kMostReadBytes);
}

OutgoingReader::Event OutgoingReader::feed(std::string_view bytes) {
  const bool joined = !kept_.empty();
  if (joined) {
    kept_.append(bytes);
    bytes = kept_;
  }
  std::size_t used = 0;
  Event event = Event::kMore;
  while (used < bytes.size() && !is_done()) {
    BeastError error;
    used += put(boost::asio::buffer(bytes.substr(used)), error);
    if (is_header_done() && !error) tell_head();
    if (error == beast_http::error::need_more) break;
    if (error) {
      fault_ = error.message();
      event = Event::kMalformed;
      break;
    }
  }
  const std::string_view left = bytes.substr(used);
  if (event == Event::kMore && is_done()) {
    rest_ = left;
    return interim() ? Event::kInterim : Event::kDone;
  }
  if (event == Event::kMore && left.size() > kHeaderLimitBytes) {
    fault_ = BeastError(beast_http::error::header_limit).message();
    event = Event::kMalformed;
  }
  if (joined) {
    kept_.erase(0, used);
  } else {
    kept_ = left;
  }
  return event;
}

OutgoingReader::Event OutgoingReader::feed_end() {
  BeastError error;
  if (!got_some() || !kept_.empty()) return Event::kMalformed;
  put_eof(error);
  return error || !is_done() ? Event::kMalformed : Event::kDone;
}

// Not called from on_header_impl, since the parser settles the body's length a step later.
void OutgoingReader::tell_head() {
  if (head_told_ || interim()) return;
  head_told_ = true;
  if (const auto length = content_length()) head_.length = *length;
  head_.ends_with_connection = need_eof();
  owner_.on_response_head(std::move(head_));
}

void OutgoingReader::on_response_impl(int status, BeastText, int, BeastError& error) {
  head_.status = status;
  if (!is_expected_status(status)) error = beast_http::error::bad_status;
}

void OutgoingReader::on_field_impl(beast_http::field, BeastText name, BeastText value, BeastError&) {
  if (is_header_done() || keep_header_ == nullptr) return;  // trailers
  std::array<char, kLongestKept> lower;
  if (name.size() > lower.size()) return;
  std::transform(name.begin(), name.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const std::string_view lower_name(lower.data(), name.size());
  if (keep_header_(lower_name)) head_.headers.emplace_back(lower_name, std::string(value));
}

std::size_t OutgoingReader::on_body_impl(BeastText bytes, BeastError&) {
  tell_head();
  if (!bytes.empty()) owner_.on_response_body(bytes);
  return bytes.size();
}

std::size_t OutgoingReader::on_chunk_body_impl(std::uint64_t, BeastText bytes, BeastError& error) {
  return on_body_impl(bytes, error);
}

}  // namespace cloister::http
