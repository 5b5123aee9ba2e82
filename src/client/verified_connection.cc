#include "client/verified_connection.h"

#include <algorithm>

#include "base/encoding.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"

namespace cloister::client {
namespace {

// The checks of the report's own binding, and of a gateway's in front of several models (verify/report.h).
bool binds(const verify::Verdict& verdict, const ByteArray<32>& key) {
  return std::any_of(verdict.checks.begin(), verdict.checks.end(), [&](const verify::Check& check) {
    return (check.id == "report_data.tls" || check.id == "gateway.report_data.tls") &&
           check.state == verify::State::kPass && check.actual == to_hex(key);
  });
}

}  // namespace

Result<VerifiedConnection> VerifiedConnection::make(const NodeAddress& address, const HostCheck& host,
                                                    std::string bearer_token) {
  if (!host.accepted()) {
    return fail(ErrorCode::kUsage, "a connection was asked for to a node that is not accepted");
  }
  http::ClientOptions options = connection_options(address);
  options.bearer_token = std::move(bearer_token);
  // Nodes with the same keys can differ in what their keys do not depend on: each refuses what is meant for another node.
  if (const verify::Check* document = host.verdict.find("policy.document");
      document != nullptr && document->state == verify::State::kPass) {
    const auto digest = evidence::parse_digest(document->actual);
    if (digest)
      options.headers.emplace_back(std::string(evidence::kExpectedPolicyHeader), evidence::digest_text(*digest));
  }
  if (address.url.tls) {
    const auto& key = host.report.tls_spki_sha256;
    if (!key || !binds(host.verdict, *key)) {
      return fail(ErrorCode::kBadCertificate,
                  "the node was accepted, but its quote does not bind its TLS key: expected "
                  "the check report_data.tls to have passed");
    }
    options.pinned_spki_sha256 = key;
  }
  return VerifiedConnection(address.url, std::move(options), address.reply_timeout_s);
}

http::ClientOptions VerifiedConnection::reply_options() const {
  http::ClientOptions options = options_;
  options.idle_timeout_s = options.total_timeout_s = reply_timeout_s_;
  return options;
}

Result<http::ClientResponse> VerifiedConnection::get(std::string_view path_and_query, std::uint64_t most_bytes) const {
  http::ClientOptions options = options_;
  options.response_limit_bytes = most_bytes;
  return http::Client(url_, std::move(options)).get(path_and_query);
}

Result<http::ClientResponse> VerifiedConnection::post_json(std::string_view path, std::string_view body,
                                                           std::uint64_t most_bytes) const {
  http::ClientOptions options = reply_options();
  options.response_limit_bytes = most_bytes;
  return http::Client(url_, std::move(options)).post_json(path, body);
}

Result<http::ClientResponse> VerifiedConnection::post_json_streaming(
    std::string_view path, std::string_view body, const std::function<bool(std::string_view)>& on_data) const {
  return http::Client(url_, reply_options()).post_json_streaming(path, body, on_data);
}

}  // namespace cloister::client
