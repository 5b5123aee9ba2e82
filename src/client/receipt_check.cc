#include "client/receipt_check.h"

#include "base/encoding.h"
#include "crypto/hash.h"
#include "verify/check.h"
#include "verify/receipt.h"

namespace cloister::client {
namespace {

constexpr int kNotFound = 404;

}  // namespace

Result<std::optional<HostReport>> ask_native_report(const http::Client& http) {
  HostReport report;
  crypto::fill_random(report.nonce);
  TRY(response, http.get("/v1/cloister/attestation?nonce=" + to_hex(report.nonce)));
  if (response.status == kNotFound) return std::optional<HostReport>();
  if (response.status != 200) return http_failure("no native attestation report", response);
  report.text = std::move(response.body);
  report.tls_spki_sha256 = response.tls_spki_sha256;
  return std::optional(std::move(report));
}

Result<std::string> fetch_receipt(const http::Client& http, const std::string& id) {
  TRY(response, http.get("/v1/aci/receipts/" + id));
  if (response.status != 200) return http_failure("no receipt", response);
  return std::move(response.body);
}

verify::Verdict judge_receipt(const http::Client& http, const HostReport& native, const ChatReply& reply,
                              const std::optional<std::string>& receipt, const std::string& model,
                              const verify::Context& context) {
  if (!receipt) {
    verify::Verdict none;
    none.add(verify::failed("receipt.form", "the node gives receipts, and gave none for this reply"));
    return none;
  }
  verify::ReceiptEvidence judged;
  judged.receipt = *receipt;
  judged.report = native.text;
  judged.expected.nonce = native.nonce;
  judged.expected.tls_spki_sha256 = native.tls_spki_sha256;
  judged.expected.tls_host = http.url().host;
  judged.request = reply.proof.request;
  judged.response = reply.proof.response;
  judged.id = reply.receipt_id;
  judged.model = model;
  return verify::verify_receipt(judged, context);
}

}  // namespace cloister::client
