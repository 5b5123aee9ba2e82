#include "http/client_exchange.h"

#include <string.h>

#include <utility>

namespace cloister::http {

class ClientExchange::Sink final : public OutgoingSink {
 public:
  explicit Sink(ClientExchange& exchange) : exchange_(exchange) {}
  void on_head(OutgoingHead head) override { exchange_.take_head(std::move(head)); }
  void on_body(std::string_view bytes) override { exchange_.take_body(bytes); }
  void on_end() override { exchange_.end(std::nullopt); }
  void on_failed(OutgoingFailure, const Error& error) override { exchange_.end(error); }

 private:
  ClientExchange& exchange_;
};

ClientExchange::~ClientExchange() {
  if (!options_.secret_response) return;
  const std::span<char> used = loop_.read_scratch();
  ::explicit_bzero(used.data(), used.size());
}

Result<ClientResponse> ClientExchange::run(std::string head, std::string_view body,
                                           std::chrono::steady_clock::time_point deadline) {
  // Nothing of a secret is left behind by a string that grows.
  if (options_.secret_response) response_.body.reserve(options_.response_limit_bytes);
  OutgoingRequest request;
  // The exchange outlives its loop's connections.
  request.target = std::shared_ptr<const OutgoingTarget>(std::shared_ptr<void>(), &target_);
  request.head = std::move(head);
  request.body = {body, {}, {}};
  request.secret_response = options_.secret_response;
  request.keep_header = [](std::string_view) { return true; };
  request.connect_timeout_s = options_.connect_timeout_s;
  request.first_byte_timeout_s = options_.total_timeout_s;
  request.head_idle_timeout_s = request.idle_timeout_s = options_.idle_timeout_s;
  loop_.run([&] {
    loop_.events().at(deadline, [this] { expire(); });
    auto call = send(loop_, std::move(request), std::make_shared<Sink>(*this));
    if (!over_) call_ = std::move(call);
  });
  loop_.run_here();
  if (!error_) return std::move(response_);
  if (options_.secret_response) ::explicit_bzero(response_.body.data(), response_.body.size());
  return *std::move(error_);
}

void ClientExchange::take_head(OutgoingHead head) {
  if (on_data_ != nullptr) bounded_ = false;
  response_.status = head.status;
  response_.headers = std::move(head.headers);
  response_.tls_spki_sha256 = head.tls_spki_sha256;
  response_.unencrypted = head.leaves_machine_plain;
}

void ClientExchange::take_body(std::string_view bytes) {
  if (bytes.size() > options_.response_limit_bytes - response_.body.size()) {
    return end(fail(ErrorCode::kTooLarge, "the server's response is larger than the limit of " +
                                              std::to_string(options_.response_limit_bytes) + " bytes"));
  }
  response_.body.append(bytes);
  if (on_data_ != nullptr && !(*on_data_)(bytes)) end(std::nullopt);
}

void ClientExchange::expire() {
  if (!bounded_) return;
  end(fail(ErrorCode::kTimeout,
           target_.name + " did not answer in full within " + std::to_string(options_.total_timeout_s) + " s"));
}

void ClientExchange::end(std::optional<Error> error) {
  if (std::exchange(over_, true)) return;
  error_ = std::move(error);
  if (const auto call = std::exchange(call_, nullptr)) call->cancel();
  loop_.end();
}

}  // namespace cloister::http
