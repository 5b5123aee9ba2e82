// ClientExchange: one request of the blocking client and its response, on a loop that runs on the calling thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/client_options.h"
#include "http/outgoing.h"
#include "net/loop.h"

namespace cloister::http {

class ClientExchange {
 public:
  // `on_data` may be null; as in Client::post_json_streaming(). The arguments outlive the exchange.
  ClientExchange(const OutgoingTarget& target, const ClientOptions& options,
                 const std::function<bool(std::string_view)>* on_data)
      : target_(target), options_(options), on_data_(on_data) {}
  ~ClientExchange();
  ClientExchange(const ClientExchange&) = delete;
  ClientExchange& operator=(const ClientExchange&) = delete;

  // Blocks until the response is complete, or until the deadline. Called once.
  Result<ClientResponse> run(std::string head, std::string_view body, std::chrono::steady_clock::time_point deadline);

 private:
  class Sink;

  void take_head(OutgoingHead head);
  void take_body(std::string_view bytes);
  void expire();
  // Everything is over; with an error or, without one, with the response.
  void end(std::optional<Error> error);

  const OutgoingTarget& target_;
  const ClientOptions& options_;
  const std::function<bool(std::string_view)>* const on_data_;
  net::Loop loop_;
  std::shared_ptr<OutgoingCall> call_;
  ClientResponse response_;
  std::optional<Error> error_;
  bool over_ = false;
  bool bounded_ = true;  // the deadline still counts
};

}  // namespace cloister::http
