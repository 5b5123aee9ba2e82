#include "evidence/statement.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "evidence/json_reader.h"

namespace cloister::evidence {
namespace {

std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string in_quotes_or_null(const std::optional<ByteArray<32>>& digest) {
  return digest ? in_quotes(digest_text(*digest)) : "null";
}

}  // namespace

// Both texts are their own canonical form: every value is hex or a fixed word, and the names are in order.
std::string aci_statement(const ByteArray<32>& keyset_digest, const std::optional<Nonce>& nonce) {
  return "{\"keyset_digest\":" + in_quotes(digest_text(keyset_digest)) +
         ",\"nonce\":" + (nonce ? in_quotes(to_hex(*nonce)) : "null") + ",\"purpose\":\"aci.report_data.v1\"}";
}

std::string native_statement(const NativeStatement& statement) {
  return "{\"gpu_evidence_digest\":" + in_quotes_or_null(statement.gpu_evidence_digest) +
         ",\"keyset_digest\":" + in_quotes(digest_text(statement.keyset_digest)) +
         ",\"model_digest\":" + in_quotes_or_null(statement.model_digest) +
         ",\"nonce\":" + in_quotes(to_hex(statement.nonce)) +
         ",\"policy_digest\":" + in_quotes_or_null(statement.policy_digest) +
         ",\"purpose\":" + in_quotes(kNativePurpose) + "}";
}

ReportData statement_report_data(std::string_view statement) {
  const crypto::Sha256Digest digest = crypto::sha256(as_bytes(statement));
  ReportData out{};
  std::copy(digest.begin(), digest.end(), out.begin());
  return out;
}

Nonce gpu_nonce(const ByteArray<32>& keyset_digest, const Nonce& client_nonce) {
  Bytes bound = to_bytes(as_bytes(kGpuNonceTag));
  append(bound, keyset_digest);
  append(bound, client_nonce);
  return crypto::sha256(bound);
}

}  // namespace cloister::evidence
