#include "http/request_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <charconv>
#include <limits>

#include "http/percent.h"

namespace cloister::http {
namespace {

namespace beast_http = boost::beast::http;

constexpr std::size_t kMaxHeaders = 128;
// A chunk-size line with its extensions, or the whole trailer section.
constexpr std::size_t kMaxChunkLineBytes = 8u << 10;
constexpr std::size_t kMaxBodyReserve = 1u << 20;
// Steps of the parser in one call of feed(); a chunk takes two or three, each of a fraction of a microsecond.
constexpr int kStepsAtOnce = 256;

bool has_control_character(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  return false;
}

// The digits are known to be a 64-bit number, which the parser has accepted.
std::uint64_t content_length_of(std::string_view digits) {
  std::uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

// True when a line of the head that begins in `bytes` continues in the next line (RFC 9112, section 5.2). The parser
// would join both; servers that do not would read another Content-Length or Transfer-Encoding. A line break and the
// character after it are always in one piece, since the parser takes a line only when it sees what follows.
bool has_folded_line(std::string_view bytes) {
  if (bytes.starts_with("\r\n")) return false;  // the end of the head; the body follows
  const std::string_view head = bytes.substr(0, bytes.find("\r\n\r\n"));
  for (std::size_t at = head.find('\n'); at != std::string_view::npos; at = head.find('\n', at + 1)) {
    if (at + 1 < head.size() && (head[at + 1] == ' ' || head[at + 1] == '\t')) return true;
  }
  return false;
}

// Accepts one host, as a name, an IPv4 address or an IPv6 address in brackets, and perhaps a port (RFC 9110, section
// 7.2; RFC 3986, section 3.2.2): nothing that two servers could read as two hosts, or as part of another field.
bool is_host(std::string_view value) {
  std::size_t end = 0;
  if (value.starts_with('[')) {
    end = value.find(']');
    if (end == std::string_view::npos ||
        value.substr(1, end - 1).find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) {
      return false;
    }
    ++end;
  } else {
    end = std::min(value.find(':'), value.size());
    if (end == 0) return false;
    for (const char c : value.substr(0, end)) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (!letter && c != '-' && c != '.' && c != '_' && c != '~') return false;
    }
  }
  const std::string_view port = value.substr(end);
  return port.empty() || (port.front() == ':' && port.size() <= 6 &&
                          port.substr(1).find_first_not_of("0123456789") == std::string_view::npos);
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

RequestReader::RequestReader(std::size_t header_limit_bytes, bool host_required)
    : header_limit_bytes_(header_limit_bytes), host_required_(host_required) {
  header_limit(static_cast<std::uint32_t>(header_limit_bytes));
  body_limit(std::numeric_limits<std::uint64_t>::max());  // our limit depends on the head
  request_.headers.reserve(16);
}

RequestReader::Progress RequestReader::feed(std::string_view bytes) {
  std::size_t used = 0;
  if (!is_header_done() && has_folded_line(bytes)) {
    BeastError error;
    refuse(400, "a header line is folded", error);
    return {used, Event::kRefused};
  }
  for (int steps = 0; steps < kStepsAtOnce; ++steps) {
    BeastError error;
    const bool had_head = is_header_done();
    const std::size_t taken = put(boost::asio::buffer(bytes.substr(used)), error);
    used += taken;
    if (!had_head) head_bytes_ += taken;
    const std::size_t left = bytes.size() - used;
    if (error == beast_http::error::need_more) {
      if (!had_head && head_bytes_ + left >= header_limit_bytes_) {
        refuse(431, "the request header is too large", error);
      } else if (had_head && left > kMaxChunkLineBytes) {
        refuse(400, "a chunk header or the trailers are too large", error);
      } else {
        return {used, Event::kNeedMore};
      }
    }
    if (error) {
      refuse_for(error);
      return {used, Event::kRefused};
    }
    if (!had_head && is_header_done()) {
      if (head_bytes_ <= header_limit_bytes_) return {used, Event::kHeadDone};
      refuse(431, "the request header is too large", error);
      return {used, Event::kRefused};
    }
    if (is_done()) return {used, Event::kDone};
    if (left == 0) return {used, Event::kNeedMore};
  }
  return {used, Event::kPaused};
}

void RequestReader::refuse(int status, std::string_view text, BeastError& error) {
  refusal_status_ = status;
  refusal_text_ = text;
  error = beast_http::error::bad_value;
}

void RequestReader::refuse_for(const BeastError& error) {
  if (refusal_status_ != 0) return;
  refusal_status_ = 400;
  if (error == beast_http::error::header_limit) {
    refusal_status_ = 431;
    refusal_text_ = "the request header is too large";
  } else if (error == beast_http::error::bad_version) {
    refusal_status_ = 505;
    refusal_text_ = "expected HTTP/1.0 or HTTP/1.1";
  } else if (error == beast_http::error::bad_content_length || error == beast_http::error::multiple_content_length ||
             error == beast_http::error::bad_transfer_encoding) {
    refusal_text_ = "bad or conflicting content-length and transfer-encoding";
  } else if (error == beast_http::error::bad_chunk || error == beast_http::error::bad_chunk_extension) {
    refusal_text_ = "malformed chunk in the request body";
  } else {
    refusal_text_ = "malformed HTTP request";
  }
}

// Splits and decodes the request target: origin form, absolute form, or "*" (RFC 9112 section 3.2).
bool RequestReader::take_target(std::string_view target) {
  for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (!target.starts_with(scheme)) continue;
    const std::size_t path = target.find_first_of("/?", scheme.size());
    authority_ = lower_case(target.substr(scheme.size(), path - scheme.size()));
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
    break;
  }
  if (target == "*") {
    request_.path = target;
    return request_.method == "OPTIONS";
  }
  const std::size_t mark = target.find('?');
  const std::string_view raw_path = target.substr(0, mark);
  if (mark != std::string_view::npos) request_.query = target.substr(mark + 1);
  auto path = percent_decode(raw_path);
  if (!path || has_control_character(*path) || target.find('#') != std::string_view::npos) return false;
  request_.path = path->empty() && authority_ ? "/" : std::move(*path);
  return request_.path.starts_with('/');
}

void RequestReader::on_request_impl(beast_http::verb, BeastText method_text, BeastText target, int version,
                                    BeastError& error) {
  version_ = version;
  request_.method = method_text;
  if (!take_target(target)) refuse(400, "malformed request target", error);
}

void RequestReader::on_field_impl(beast_http::field field, BeastText name, BeastText value, BeastError& error) {
  if (is_header_done()) return;  // trailers of a chunked body have no meaning here
  if (request_.headers.size() >= kMaxHeaders) return refuse(431, "too many request headers", error);
  check_framing_field(field, value, error);
  if (error) return;
  request_.headers.emplace_back(lower_case(name), std::string(value));
}

void RequestReader::check_framing_field(beast_http::field field, std::string_view value, BeastError& error) {
  switch (field) {
    case beast_http::field::host:
      if (++hosts_ > 1) return refuse(400, "more than one host header", error);
      if (!is_host(value)) refuse(400, "the host header names no host", error);
      break;
    case beast_http::field::content_length:
      // Stricter than the parser: one header with digits only, even when several would agree.
      if (content_length_ || value.find_first_not_of("0123456789") != std::string_view::npos) {
        return refuse(400, "expected one content-length of digits", error);
      }
      content_length_ = content_length_of(value);
      break;
    case beast_http::field::transfer_encoding:
      if (chunked_) return refuse(400, "more than one transfer-encoding header", error);
      if (version_ == 10) return refuse(400, "transfer-encoding in an HTTP/1.0 request", error);
      if (!boost::beast::iequals(value, "chunked")) {
        return refuse(501, "expected the transfer-encoding chunked and no other", error);
      }
      chunked_ = true;
      break;
    case beast_http::field::expect:
      if (!boost::beast::iequals(value, "100-continue")) return refuse(417, "unknown expectation", error);
      expects_continue_ = version_ >= 11;
      break;
    default: break;
  }
}

void RequestReader::on_header_impl(BeastError& error) {
  if (host_required_ && version_ >= 11 && hosts_ == 0) return refuse(400, "missing host header", error);
  // The name in front of a Unix socket means nothing: each client fills in what it likes.
  if (host_required_ && is_for_another_host())
    refuse(400, "the request target names another host than the host header", error);
}

// A client sends the authority of its target as the host too (RFC 9112 section 3.2.2): two servers in a row that heed different ones of two
// names would see two different requests.
bool RequestReader::is_for_another_host() const {
  if (!authority_) return false;
  const auto host = request_.header("host");
  return host && lower_case(*host) != *authority_;
}

void RequestReader::on_body_init_impl(const boost::optional<std::uint64_t>& length, BeastError&) {
  if (length) request_.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*length, kMaxBodyReserve)));
}

void RequestReader::absorb(std::string_view bytes) {
  if (bytes.empty()) return;
  if (!request_.body.empty() && !hasher_) {
    hasher_.emplace();
    hasher_->update(as_bytes(request_.body));
  }
  if (hasher_) hasher_->update(as_bytes(bytes));
  request_.body.append(bytes);
}

std::size_t RequestReader::on_body_impl(BeastText bytes, BeastError&) {
  absorb(bytes);
  return bytes.size();
}

void RequestReader::on_chunk_header_impl(std::uint64_t size, BeastText, BeastError& error) {
  if (size > body_limit_bytes_ - request_.body.size()) refuse(413, "the request body is too large", error);
}

std::size_t RequestReader::on_chunk_body_impl(std::uint64_t, BeastText bytes, BeastError&) {
  absorb(bytes);
  return bytes.size();
}

void RequestReader::on_finish_impl(BeastError&) {
  request_.body_sha256 = hasher_ ? hasher_->finish() : crypto::sha256(as_bytes(request_.body));
}

}  // namespace cloister::http
