// These are the options of one run of the load client, and the request bytes that it sends.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cloister::bench {

struct Options {
  std::string url;               // http://ADDRESS:PORT/PATH, loopback only
  std::string body_file;         // empty: a built-in chat request
  std::string bearer_file;       // empty: no Authorization header
  std::string model = "echo";    // model in the built-in body
  std::size_t body_bytes = 600;  // length of the built-in body
  int connections = 1;
  double duration_s = 5;            // request mode: measured window
  double warmup_s = 0.5;            // request mode: before the window
  double rate = 0;                  // request mode: requests a second in total; 0 = closed loop
  int repeat = 1;                   // stream mode: number of successive streams in place of each connection
  double ramp_s = 0;                // stream mode: starts are spread over this time
  std::int64_t expect_events = -1;  // stream mode: events each stream must have; -1 = not checked
  std::int64_t expect_tokens = -1;  // stream mode: usage.completion_tokens each stream must report; -1 = not checked
  double timeout_s = 60;            // in addition to what the run itself needs
  std::vector<int> pids;            // processes of the server, for CPU time and memory
  int verify_sample = 0;
  bool get = false;         // request mode: GET, without a body
  bool any_status = false;  // request mode: every status counts as a reply
};

// The target of the requests. Only loopback addresses are accepted: this client is a load generator.
struct Target {
  boost::asio::ip::tcp::endpoint endpoint;
  std::string authority;  // ADDRESS:PORT
  std::string path;
};

Result<Target> parse_target(std::string_view url);

// Makes requests with the same head and a body in which every "@N@" is replaced by an eight-digit number, so that
// prompts can differ while all requests have one length.
class RequestMaker {
 public:
  static Result<RequestMaker> make(const Options& options, const Target& target, bool stream);
  // Returns the whole request. It stays valid until the next call when the body has a number in it, and forever
  // otherwise.
  const std::string& next();
  bool any_status() const { return any_status_; }
  std::string_view last_body() const { return std::string_view(request_).substr(body_at_); }
  // Returns a GET request for the same server with the same credentials.
  std::string get(std::string_view path) const;

 private:
  std::string common_head_;  // Host and Authorization lines
  std::string request_;
  std::size_t body_at_ = 0;
  std::vector<std::size_t> numbers_at_;
  std::uint64_t count_ = 0;
  bool any_status_ = false;
};

}  // namespace cloister::bench
