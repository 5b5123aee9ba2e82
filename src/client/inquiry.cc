#include "client/inquiry.h"

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/hash.h"

namespace cloister::client {
namespace {

constexpr int kOk = 200, kUnauthorized = 401, kNotFound = 404, kMethodNotAllowed = 405;
constexpr std::size_t kLongestMessage = 500;
constexpr std::size_t kMostErrorBytes = 64u << 10;
// A larger report is refused before all of it has arrived, and is not parsed.
constexpr std::uint64_t kMostReportBytes = codec::JsonLimits{}.max_bytes, kMostListBytes = 4u << 20;

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                 c == '.' || c == '~';
    if (plain) {
      out.push_back(static_cast<char>(c));
    } else {
      out.push_back('%');
      out.push_back(kDigits[c >> 4]);
      out.push_back(kDigits[c & 15]);
    }
  }
  return out;
}

Error no_report(const http::ClientResponse& response) {
  Error error = http_failure("no attestation report", response);
  if (response.status == kUnauthorized) {
    error.message += "; a token is not sent to a node that has not been verified: save the report by other means, and "
                     "verify it with cloister verify report";
  }
  return error;
}

// A server that expects TLS closes the connection without an answer.
Error with_hint(Error error, const http::Url& url) {
  if (!url.tls && url.unix_socket.empty() && error.code == ErrorCode::kNetwork &&
      error.message.find(" broke") != std::string::npos) {
    error.message += "; if it speaks TLS, its address begins with https://";
  }
  return error;
}

}  // namespace

http::ClientOptions connection_options(const NodeAddress& address) {
  http::ClientOptions options;
  options.verify_web_pki = address.verify_web_pki;
  options.idle_timeout_s = options.total_timeout_s = address.answer_timeout_s;
  options.plain_http = address.insecure_http ? http::PlainHttp::kAnywhere : http::PlainHttp::kThisMachine;
  return options;
}

Error http_failure(std::string_view what, const http::ClientResponse& response) {
  std::string message = std::string(what) + ": the node answered " + std::to_string(response.status);
  const Result<Json> body = codec::parse_json(response.body, {.max_bytes = kMostErrorBytes});
  if (body && body->is_object() && body->contains("error") && (*body)["error"].is_object()) {
    Result<std::string> text = codec::string_member((*body)["error"], "message");
    if (text) message += "\n" + text->substr(0, kLongestMessage);
  }
  return fail(ErrorCode::kNetwork, std::move(message));
}

Result<std::vector<std::string>> parse_model_list(std::string_view body) {
  TRY(list, codec::parse_json(body, {.max_bytes = kMostListBytes}));
  TRY(data, codec::array_member(list, "data"));
  std::vector<std::string> out;
  for (const Json& model : *data) {
    TRY(id, codec::string_member(model, "id"));
    out.push_back(std::move(id));
  }
  return out;
}

Result<http::ClientResponse> Inquiry::get(const std::string& path_and_query, std::uint64_t most_bytes) {
  http::ClientOptions options = connection_options(address_);
  options.response_limit_bytes = most_bytes;
  options.pinned_spki_sha256 = first_key_;
  Result<http::ClientResponse> answer = http::Client(address_.url, std::move(options)).get(path_and_query);
  if (!answer) return with_hint(answer.error(), address_.url);
  http::ClientResponse response = *std::move(answer);
  first_key_ = response.tls_spki_sha256;
  return response;
}

Result<HostReport> Inquiry::ask_host(const HostQuery& query) {
  HostReport report;
  report.host = address_.url.host;
  crypto::fill_random(report.nonce);
  const std::string nonce = to_hex(report.nonce);
  TRY(answer, get("/v1/cloister/attestation?nonce=" + nonce, kMostReportBytes));
  report.native = answer.status == kOk;
  if (!report.native) {
    if (answer.status != kNotFound && answer.status != kMethodNotAllowed) return no_report(answer);
    std::string path =
        "/v1/attestation/report?nonce=" + nonce + "&signing_algo=" + std::string(evidence::to_text(query.algo));
    if (!query.model.empty()) path += "&model=" + percent_encode(query.model);
    if (address_.url.tls) path += "&include_tls_fingerprint=true";
    TRY(legacy, get(path, kMostReportBytes));
    if (legacy.status != kOk) return no_report(legacy);
    answer = std::move(legacy);
  }
  report.text = std::move(answer.body);
  report.tls_spki_sha256 = answer.tls_spki_sha256;
  report.unencrypted = answer.unencrypted;
  return report;
}

Result<std::vector<std::string>> Inquiry::list_models() {
  TRY(answer, get("/v1/models", kMostListBytes));
  if (answer.status != kOk) return http_failure("no list of models", answer);
  return parse_model_list(answer.body);
}

}  // namespace cloister::client
