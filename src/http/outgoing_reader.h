// OutgoingReader: takes the bytes of one response and gives its head and body pieces, without copying the body. It
// wraps Beast's HTTP/1.1 parser, which refuses a response with two lengths. One for each response, loop thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/beast_parser.h"
#include "http/outgoing.h"

namespace cloister::http {

class OutgoingReader : private boost::beast::http::basic_parser<false> {
 public:
  enum class Event {
    kMore,     // everything was used; more has to come
    kDone,     // the response is complete
    kInterim,  // a 1xx response is complete: continue with a new reader, with rest() first
    kMalformed,
  };

  // `owner` gets the head and the body pieces. It may be silenced at any time, even from inside a call.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_response_head(OutgoingHead head) = 0;
    virtual void on_response_body(std::string_view bytes) = 0;
  };
  OutgoingReader(Owner& owner, bool (*keep_header)(std::string_view));
  ~OutgoingReader();
  // From now on no buffer grows in a way that leaves a copy behind, and what is kept is wiped at the end. Reads of at most 64 KiB.
  void keep_secret();

  Event feed(std::string_view bytes);
  // The connection has ended. Returns kDone when this response ends in that way.
  Event feed_end();
  bool can_keep_connection() { return keep_alive() && !need_eof() && rest_.empty(); }
  // The bytes after the response.
  std::string take_rest() { return std::move(rest_); }
  bool has_rest() const { return !rest_.empty(); }
  bool has_head() const { return head_told_; }
  // What is wrong, after kMalformed.
  const std::string& fault() const { return fault_; }

 private:
  using BeastError = boost::beast::error_code;
  using BeastText = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb, BeastText, BeastText, int, BeastError&) override {}
  void on_response_impl(int status, BeastText, int, BeastError& error) override;
  void on_field_impl(boost::beast::http::field field, BeastText name, BeastText value, BeastError& error) override;
  void on_header_impl(BeastError&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, BeastError&) override {}
  std::size_t on_body_impl(BeastText bytes, BeastError& error) override;
  void on_chunk_header_impl(std::uint64_t, BeastText, BeastError&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t remain, BeastText bytes, BeastError& error) override;
  void on_finish_impl(BeastError&) override {}

  bool interim() const { return head_.status < 200; }
  void tell_head();

  Owner& owner_;
  bool (*const keep_header_)(std::string_view);
  OutgoingHead head_;
  bool head_told_ = false;
  std::string kept_;  // an incomplete piece of a head or of a chunk's frame
  std::string rest_;
  std::string fault_;
  bool secret_ = false;
};

}  // namespace cloister::http
