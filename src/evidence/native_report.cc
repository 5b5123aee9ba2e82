#include "evidence/native_report.h"

#include "codec/jcs.h"
#include "crypto/hash.h"
#include "evidence/json_reader.h"

namespace cloister::evidence {
namespace {

constexpr ErrorCode kCode = ErrorCode::kBadReport;

Json copy_or_null(const Json* member) { return member == nullptr ? Json() : *member; }

Result<NativeStatement> read_statement(const Json& object) {
  const JsonReader reader(object, kCode, "statement.");
  TRY_VOID(reader.only({"gpu_evidence_digest", "keyset_digest", "model_digest", "nonce", "policy_digest", "purpose"}));
  TRY(purpose, reader.text("purpose"));
  if (purpose != kNativePurpose) return reader.bad("purpose", "expected " + std::string(kNativePurpose));
  NativeStatement statement;
  TRY(gpu, reader.optional_digest("gpu_evidence_digest"));
  statement.gpu_evidence_digest = gpu;
  TRY(keyset, reader.digest("keyset_digest"));
  statement.keyset_digest = keyset;
  TRY(model, reader.optional_digest("model_digest"));
  statement.model_digest = model;
  TRY(nonce, reader.hash("nonce"));
  statement.nonce = nonce;
  TRY(policy, reader.optional_digest("policy_digest"));
  statement.policy_digest = policy;
  return statement;
}

Result<void> read_rest(const JsonReader& reader, NativeReport& report) {
  TRY(payload, reader.optional_text("nvidia_payload"));
  report.nvidia_payload = std::move(payload);
  TRY(model, reader.optional_object("model"));
  report.model = copy_or_null(model);
  TRY(policy, reader.optional_object("policy"));
  report.policy = copy_or_null(policy);
  return {};
}

}  // namespace

Result<NativeReport> parse_native_report(const Json& object) {
  const JsonReader reader(object, kCode);
  TRY(version, reader.text("api_version"));
  if (version != kNativeVersion) return reader.bad("api_version", "expected " + std::string(kNativeVersion));
  NativeReport report;
  TRY(statement_object, reader.object("statement"));
  TRY(statement, read_statement(*statement_object));
  report.statement = statement;
  TRY(keyset_object, reader.object("keyset"));
  TRY(keyset, parse_keyset(*keyset_object));
  report.keyset = std::move(keyset);
  TRY(tee_type, reader.text("tee_type"));
  report.tee_type = std::move(tee_type);
  TRY(quote, reader.hex("quote"));
  report.quote = std::move(quote);
  TRY_VOID(read_rest(reader, report));
  return report;
}

Result<ByteArray<32>> document_digest(const Json& document) {
  TRY(canonical, codec::write_jcs(document));
  return crypto::sha256(as_bytes(canonical));
}

}  // namespace cloister::evidence
