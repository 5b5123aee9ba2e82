#include "client/host_check.h"

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/hash.h"

namespace cloister::client {
namespace {

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

}  // namespace

Error http_failure(std::string_view what, const http::ClientResponse& response) {
  std::string message = std::string(what) + ": the node answered " + std::to_string(response.status);
  Result<Json> body = codec::parse_json(response.body);
  if (body && body->is_object() && body->contains("error") && (*body)["error"].is_object()) {
    Result<std::string> text = codec::string_member((*body)["error"], "message");
    if (text) message += " (" + text->substr(0, 500) + ")";
  }
  return fail(ErrorCode::kNetwork, std::move(message));
}

Result<HostReport> ask_report(const http::Client& http, const HostQuery& query) {
  HostReport report;
  crypto::fill_random(report.nonce);
  std::string path = "/v1/attestation/report?nonce=" + to_hex(report.nonce) +
                     "&signing_algo=" + std::string(evidence::to_text(query.algo));
  if (!query.model.empty()) path += "&model=" + percent_encode(query.model);
  if (http.url().tls) path += "&include_tls_fingerprint=true";
  TRY(response, http.get(path));
  if (response.status != 200) return http_failure("no attestation report", response);
  report.text = std::move(response.body);
  report.tls_spki_sha256 = response.tls_spki_sha256;
  return report;
}

HostCheck judge_host(HostReport report, const verify::Context& context) {
  HostCheck check;
  check.verdict = verify::verify_report(report.text, {report.nonce, report.tls_spki_sha256}, context);
  check.attested_address = verify::attested_address(check.verdict).value_or("");
  check.report = std::move(report);
  return check;
}

}  // namespace cloister::client
