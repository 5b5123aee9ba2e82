// ResponseReader: turns the bytes of one response into head and body pieces. Wraps Beast's HTTP/1.1 parser; one for each response.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/beast_parser.h"
#include "http/client_options.h"

namespace cloister::http {

class ResponseReader : private boost::beast::http::basic_parser<false> {
 public:
  // Body bytes are appended to `response.body` and then passed to `on_data`, if there is one. When it returns false,
  // reading ends: stopped().
  ResponseReader(ClientResponse& response, std::uint64_t limit_bytes,
                 const std::function<bool(std::string_view)>* on_data);
  // From now on no buffer grows in a way that leaves a copy behind, and what is kept is overwritten at the end.
  void keep_secret();
  ~ResponseReader();

  // Uses all of `bytes`, or keeps what it cannot use yet. The caller skips interim (1xx) responses.
  Result<void> feed(std::string_view bytes);
  // The connection has ended. An error unless this completes the response.
  Result<void> feed_end();
  bool has_head() const { return is_header_done(); }
  bool complete() const { return is_done(); }
  bool stopped() const { return stopped_; }
  // The bytes after the response.
  const std::string& rest() const { return kept_; }

 private:
  using BeastError = boost::beast::error_code;
  using BeastText = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb, BeastText, BeastText, int, BeastError&) override {}
  void on_response_impl(int status, BeastText reason, int version, BeastError& error) override;
  void on_field_impl(boost::beast::http::field field, BeastText name, BeastText value, BeastError& error) override;
  void on_header_impl(BeastError&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, BeastError&) override {}
  std::size_t on_body_impl(BeastText bytes, BeastError& error) override;
  void on_chunk_header_impl(std::uint64_t, BeastText, BeastError&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t remain, BeastText bytes, BeastError& error) override;
  void on_finish_impl(BeastError&) override {}

  std::size_t take_body(std::string_view bytes, BeastError& error);
  Error too_large() const;

  ClientResponse& response_;
  const std::uint64_t limit_bytes_;
  const std::function<bool(std::string_view)>* on_data_;
  std::string kept_;
  bool too_large_ = false;
  bool stopped_ = false;
  bool secret_ = false;
};

}  // namespace cloister::http
