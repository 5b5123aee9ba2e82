#include "tee/dstack/agent_client.h"

#include <string.h>

#include "base/encoding.h"
#include "codec/json.h"
#include "http/client.h"

namespace cloister::tee {
namespace {

// The largest answer is Info: an event log of up to 4 MiB, as a text inside a text.
constexpr std::uint64_t kMostAnswer = 12u << 20;
constexpr std::uint64_t kMostSecretAnswer = 64u << 10;
constexpr int kNotFound = 404;
constexpr int kBadRequest = 400;

bool says_no_such_call(int status, std::string_view reason) {
  // Agents answer a call that they do not have with 404, or with 400 and this text.
  return status == kNotFound || (status == kBadRequest && reason.starts_with("Service not found"));
}

}  // namespace

std::string AgentClient::path_of(std::string_view call) const {
  if (generation_ == AgentGeneration::kTappd) return "/prpc/Tappd." + std::string(call) + "?json";
  return "/" + std::string(call);
}

Result<std::string> AgentClient::post(std::string_view call, const std::string& body, int timeout_s,
                                      bool secret) const {
  http::Url url;
  url.host = "localhost";
  url.unix_socket = socket_;
  http::ClientOptions options;
  options.connect_timeout_s = timeout_s;
  options.idle_timeout_s = timeout_s;
  options.total_timeout_s = timeout_s;
  options.response_limit_bytes = secret ? kMostSecretAnswer : kMostAnswer;
  options.secret_response = secret;
  auto answer = http::Client(std::move(url), std::move(options)).post_json(path_of(call), body);
  const std::string who = "the dstack guest agent at " + socket_;
  if (!answer) {
    const ErrorCode code = answer.error().code;
    const std::string& why = answer.error().message;
    if (code == ErrorCode::kTimeout) return fail(code, who + " is too slow with " + std::string(call) + ": " + why);
    if (code == ErrorCode::kNetwork && why.starts_with("cannot connect")) {
      return fail(ErrorCode::kNoTee, "no dstack guest agent is there: " + why);
    }
    return fail(ErrorCode::kTeeFailed, who + " broke off or garbled " + std::string(call) + ": " + why);
  }
  if (answer->status == 200) return std::move(answer->body);
  const std::string reason = parse_error_answer(answer->body);
  if (secret) explicit_bzero(answer->body.data(), answer->body.size());
  return fail(says_no_such_call(answer->status, reason) ? ErrorCode::kUnsupported : ErrorCode::kTeeFailed,
              who + " refused " + std::string(call) + " with " + std::to_string(answer->status) +
                  (reason.empty() ? "" : ": " + reason));
}

Result<AgentClient> AgentClient::connect(std::string socket, const AgentTimeouts& timeouts) {
  AgentClient client(std::move(socket), timeouts);
  for (const AgentGeneration generation : {AgentGeneration::kDstack, AgentGeneration::kTappd}) {
    client.generation_ = generation;
    auto info = client.info();
    if (info) return client;
    if (info.error().code != ErrorCode::kUnsupported) return std::move(info).error();
  }
  return fail(ErrorCode::kTeeFailed,
              client.socket_ + " answers, but knows neither of the dstack guest agent's protocols");
}

Result<AgentQuote> AgentClient::quote(const evidence::ReportData& report_data) const {
  const bool tappd = generation_ == AgentGeneration::kTappd;
  const std::string body = codec::write_json(Json{{"report_data", to_hex(report_data)}});
  TRY(answer, post(tappd ? "RawQuote" : "GetQuote", body, timeouts_.quote_s));
  return parse_quote_answer(answer);
}

Result<AgentKey> AgentClient::key(std::string_view path, std::string_view purpose) const {
  const bool tappd = generation_ == AgentGeneration::kTappd;
  Json body = {{"path", path}, {"purpose", purpose}};
  if (!tappd) body["algorithm"] = "secp256k1";
  TRY(answer, post(tappd ? "DeriveK256Key" : "GetKey", codec::write_json(body), timeouts_.call_s, true));
  auto key = parse_key_answer(answer);
  explicit_bzero(answer.data(), answer.size());
  return key;
}

Result<AgentInfo> AgentClient::info() const {
  // An agent takes a quote in order to answer this call.
  TRY(answer, post("Info", "{}", timeouts_.quote_s));
  return parse_info_answer(answer);
}

Result<std::string> AgentClient::version() const {
  TRY(answer, post("Version", "{}", timeouts_.call_s));
  return parse_version_answer(answer);
}

Result<void> AgentClient::emit_event(std::string_view name, ByteView payload) const {
  if (generation_ == AgentGeneration::kTappd) {
    return fail(ErrorCode::kUnsupported, "the older dstack guest agent measures no events");
  }
  TRY(answer,
      post("EmitEvent", codec::write_json(Json{{"event", name}, {"payload", to_hex(payload)}}), timeouts_.call_s));
  return {};
}

}  // namespace cloister::tee
