#include "http/response_reader.h"

#include <string.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>

#include "http/response_writer.h"

namespace cloister::http {
namespace {

namespace beast_http = boost::beast::http;

constexpr std::uint32_t kHeaderLimitBytes = 64u << 10;

}  // namespace

ResponseReader::ResponseReader(ClientResponse& response, std::uint64_t limit_bytes,
                               const std::function<bool(std::string_view)>* on_data)
    : response_(response), limit_bytes_(limit_bytes), on_data_(on_data) {
  header_limit(kHeaderLimitBytes);
  body_limit(std::numeric_limits<std::uint64_t>::max());  // counted here, so that the message can name the limit
}

void ResponseReader::keep_secret() {
  secret_ = true;
  response_.body.reserve(limit_bytes_);
  kept_.reserve(2 * kHeaderLimitBytes);  // an incomplete header, and a read
}

ResponseReader::~ResponseReader() {
  if (!secret_) return;
  kept_.resize(kept_.capacity());
  ::explicit_bzero(kept_.data(), kept_.size());
}

Result<void> ResponseReader::feed(std::string_view bytes) {
  kept_.append(bytes);
  std::size_t used = 0;
  Result<void> result;
  while (used < kept_.size() && !is_done() && !stopped_) {
    BeastError error;
    used += put(boost::asio::buffer(std::string_view(kept_).substr(used)), error);
    if (error == beast_http::error::need_more) {
      if (kept_.size() - used <= kHeaderLimitBytes) break;
      error = beast_http::error::header_limit;
    }
    if (stopped_) break;
    if (too_large_) {
      result = too_large();
      break;
    }
    if (error) {
      result = fail(ErrorCode::kBadHttp, "the server's response is not valid HTTP/1.1: " + error.message());
      break;
    }
  }
  kept_.erase(0, used);
  return result;
}

Result<void> ResponseReader::feed_end() {
  if (is_done()) return {};
  BeastError error;
  if (got_some() && kept_.empty()) {
    put_eof(error);
    if (!error) return {};
  }
  const char* const when = is_header_done() ? "before the end of the response" : "before it answered";
  return fail(ErrorCode::kNetwork, std::string("the server closed the connection ") + when);
}

void ResponseReader::on_response_impl(int status, BeastText, int, BeastError& error) {
  response_.status = status;
  if (!is_expected_status(status)) error = beast_http::error::bad_status;
}

void ResponseReader::on_field_impl(beast_http::field, BeastText name, BeastText value, BeastError&) {
  if (is_header_done()) return;  // trailers
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  response_.headers.emplace_back(std::move(lower), std::string(value));
}

std::size_t ResponseReader::on_body_impl(BeastText bytes, BeastError& error) { return take_body(bytes, error); }

std::size_t ResponseReader::on_chunk_body_impl(std::uint64_t, BeastText bytes, BeastError& error) {
  return take_body(bytes, error);
}

std::size_t ResponseReader::take_body(std::string_view bytes, BeastError& error) {
  if (bytes.size() > limit_bytes_ - response_.body.size()) {
    too_large_ = true;
    error = beast_http::error::body_limit;
    return 0;
  }
  response_.body.append(bytes);
  if (on_data_ != nullptr && !bytes.empty() && !(*on_data_)(bytes)) {
    stopped_ = true;
    error = beast_http::error::end_of_stream;
  }
  return bytes.size();
}

Error ResponseReader::too_large() const {
  return fail(ErrorCode::kTooLarge,
              "the server's response is larger than the limit of " + std::to_string(limit_bytes_) + " bytes");
}

}  // namespace cloister::http
