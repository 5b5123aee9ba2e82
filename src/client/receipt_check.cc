#include "client/receipt_check.h"

#include "verify/check.h"
#include "verify/receipt.h"

namespace cloister::client {
namespace {

constexpr std::uint64_t kMostReceiptBytes = 1u << 20;

}  // namespace

Result<std::string> fetch_receipt(const VerifiedConnection& node, const std::string& id) {
  TRY(response, node.get("/v1/aci/receipts/" + id, kMostReceiptBytes));
  if (response.status != 200) return http_failure("no receipt", response);
  return std::move(response.body);
}

verify::Verdict judge_receipt(const VerifiedConnection& node, const HostReport& native, const ChatReply& reply,
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
  judged.expected.tls_host = node.url().host;
  judged.request = reply.proof.request;
  judged.response = reply.proof.response;
  judged.id = reply.receipt_id;
  judged.model = model;
  return verify::verify_receipt(judged, context);
}

}  // namespace cloister::client
