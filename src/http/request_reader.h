// RequestReader: takes the bytes of one request and gives a Request. It wraps Beast's HTTP/1.1 parser and also refuses
// what two servers in a row could read differently (RFC 9112 section 11.2). One for each request, loop thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/hash.h"
#include "http/beast_parser.h"
#include "http/message.h"

namespace cloister::http {

class RequestReader : private boost::beast::http::basic_parser<true> {
 public:
  enum class Event {
    kNeedMore,  // everything usable was used; the rest has to be passed again with more bytes after it
    kHeadDone,  // the head is complete: check it, set the body limit, continue
    kDone,      // the request is complete; bytes after it belong to the next one
    kRefused,   // no acceptable request: refusal_status(), refusal_text()
    kPaused,    // a body of many small chunks: the rest can be passed again at once, after others have had their turn
  };
  struct Progress {
    std::size_t used = 0;
    Event event = Event::kNeedMore;
  };

  // `host_required`: HTTP/1.1 without a Host field is refused, and so is one that differs from the name in the target
  // (RFC 9112 sections 3.2 and 3.2.2).
  explicit RequestReader(std::size_t header_limit_bytes, bool host_required = true);
  Progress feed(std::string_view bytes);

  // Valid after kHeadDone.
  const RequestHead& head() const { return request_; }
  RequestHead& head() { return request_; }
  bool complete() const { return is_done(); }
  std::size_t body_bytes() const { return request_.body.size(); }
  std::optional<std::uint64_t> content_length() const { return content_length_; }
  bool wants_keep_alive() const { return keep_alive(); }
  bool is_http10() const { return version_ == 10; }
  bool expects_continue() const { return expects_continue_; }
  void set_body_limit(std::uint64_t bytes) { body_limit_bytes_ = bytes; }

  // Called after kDone, once.
  Request take() { return std::move(request_); }

  int refusal_status() const { return refusal_status_; }
  std::string_view refusal_text() const { return refusal_text_; }

 private:
  using BeastError = boost::beast::error_code;
  using BeastText = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb method, BeastText method_text, BeastText target, int version,
                       BeastError& error) override;
  void on_response_impl(int, BeastText, int, BeastError&) override {}
  void on_field_impl(boost::beast::http::field field, BeastText name, BeastText value, BeastError& error) override;
  void on_header_impl(BeastError& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, BeastError& error) override;
  std::size_t on_body_impl(BeastText bytes, BeastError& error) override;
  void on_chunk_header_impl(std::uint64_t size, BeastText extensions, BeastError& error) override;
  std::size_t on_chunk_body_impl(std::uint64_t remain, BeastText bytes, BeastError& error) override;
  void on_finish_impl(BeastError& error) override;

  void refuse(int status, std::string_view text, BeastError& error);
  void refuse_for(const BeastError& error);
  bool take_target(std::string_view target);
  bool is_for_another_host() const;
  void check_framing_field(boost::beast::http::field field, std::string_view value, BeastError& error);
  void absorb(std::string_view bytes);

  Request request_;
  const std::size_t header_limit_bytes_;
  const bool host_required_;
  std::uint64_t body_limit_bytes_ = 0;
  std::size_t head_bytes_ = 0;
  std::optional<std::uint64_t> content_length_;
  std::optional<std::string> authority_;  // of a target in absolute form, in lower case
  // Used only for bodies that come in more than one piece.
  std::optional<crypto::Sha256> hasher_;
  std::string_view refusal_text_;
  int refusal_status_ = 0;
  int version_ = 11;
  int hosts_ = 0;
  bool chunked_ = false;
  bool expects_continue_ = false;
};

}  // namespace cloister::http
