// Verifies the evidence of a virtual TPM on Azure: report data binds the TPM's key, whose quote binds the nonce and the registers.
#include <string>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "crypto/rsa_signature.h"
#include "evidence/services/azure_vtpm.h"
#include "verify/check.h"
#include "verify/expected_values.h"
#include "verify/nvidia/gpu_checks.h"
#include "verify/report/judges.h"
#include "verify/report/statement_binding.h"
#include "verify/report/tee_kind.h"

namespace cloister::verify {
namespace {

using evidence::AzureEvidence;
using evidence::TpmQuote;

Check check_quote_signature(const AzureEvidence& evidence, const Result<TpmQuote>& quote) {
  const std::string id = "report.tpm_quote";
  if (!quote) return failed(id, quote.error().message);
  const Result<void> good = crypto::verify_rsa_sha256(evidence.attestation_key, evidence.message, evidence.signature);
  return good ? passed(id) : failed(id, good.error().message);
}

Check check_registers(const AzureEvidence& evidence, const Result<TpmQuote>& quote) {
  const std::string id = "report.tpm_registers";
  if (!quote) return skipped(id, "the TPM's quote could not be read");
  const std::uint32_t all = (1u << evidence.pcrs.size()) - 1;
  if (evidence.pcrs.empty() || quote->pcr_mask != all) {
    return failed(id, "the quote is of other registers than those that are shown", std::to_string(quote->pcr_mask),
                  std::to_string(all));
  }
  Bytes values;
  for (const ByteArray<32>& pcr : evidence.pcrs) append(values, pcr);
  return compared(id, to_hex(quote->pcr_digest), to_hex(crypto::sha256(values)),
                  "the registers are not those that the TPM signed");
}

// The TEE measured the paravisor; only the registers show what the paravisor booted.
Check check_pcrs(const AzureEvidence& evidence, const Policy& policy) {
  const std::string id = "report.tpm_pcrs";
  if (policy.tpm.pcrs.empty()) {
    return skipped(id, "the policy expects nothing of the TPM's registers: any system may run",
                   !policy.boot.allow_any_measurements);
  }
  std::string named;
  for (const auto& [index, values] : policy.tpm.pcrs) {
    const std::string name = "PCR " + std::to_string(index);
    if (index >= evidence.pcrs.size()) return failed(id, name + " is not shown");
    const ByteArray<32>& pcr = evidence.pcrs[index];
    if (Check check = one_of(id, values, pcr); check.state != State::kPass) {
      check.detail = name + " holds another value";
      return check;
    }
    named += (named.empty() ? "" : ", ") + name;
  }
  return passed(id, named);
}

Check check_nonce(const Result<TpmQuote>& quote, const Expected& expected, const Policy& policy) {
  const std::string id = "report.nonce";
  if (!expected.nonce) return skipped(id, "the verifier gave no nonce: the report may be old", policy.require_nonce);
  if (!quote) return skipped(id, "the TPM's quote could not be read");
  return compared(id, to_hex(*expected.nonce), to_hex(quote->extra_data), "the TPM's quote answers another nonce");
}

void check_binding(const AzureEvidence& evidence, const evidence::ReportData& data, Verdict& verdict) {
  const std::string wanted = to_hex(crypto::sha256(as_bytes(evidence.runtime_data)));
  verdict.add(compared("report_data.identity", wanted, bound_half(data),
                       "the quote binds other runtime data, and so perhaps another TPM"));
  verdict.add(check_padding(data));
}

void add_facts(const AzureEvidence& evidence, Json& facts) {
  Json pcrs = Json::array();
  for (const ByteArray<32>& pcr : evidence.pcrs) pcrs.push_back(to_hex(pcr));
  facts["tpm_registers"] = std::move(pcrs);
  if (!evidence.user_data.empty()) facts["user_data"] = evidence.user_data;
  facts["report_data_layout"] = "Azure";
}

}  // namespace

Result<void> check_azure_form(const Json& object) {
  const auto evidence = evidence::parse_azure_evidence(object);
  if (!evidence && evidence.error().code == ErrorCode::kUnsupported) return evidence.error();
  return {};
}

Verdict judge_azure_evidence(const Json& object, const Expected& expected, const Context& context) {
  Verdict verdict;
  verdict.subject = "report";
  const auto evidence = evidence::parse_azure_evidence(object);
  if (!evidence) {
    verdict.add(failed("report.form", evidence.error().message));
    return verdict;
  }
  verdict.add(passed("report.form", "a virtual TPM's on Azure, version " + std::to_string(evidence->version)));
  const Result<TpmQuote> quote = evidence::parse_tpm_quote(evidence->message);
  verdict.add(check_nonce(quote, expected, context.policy));
  const TeeFindings tee = judge_tee(evidence->evidence, evidence->snp ? "sev_snp" : "tdx", {}, context, verdict);
  if (tee.report_data) {
    check_binding(*evidence, *tee.report_data, verdict);
  } else {
    skip_all(verdict, {"report_data.identity", "report_data.padding"}, "the quote could not be read");
  }
  verdict.add(
      not_applicable("report_data.nonce", "the quote of the TPM, whose key report data binds, answers the nonce"));
  verdict.add(skipped("report_data.tls", "this form binds no TLS key", expected.tls_spki_sha256.has_value()));
  verdict.add(check_quote_signature(*evidence, quote));
  verdict.add(check_registers(*evidence, quote));
  verdict.add(check_pcrs(*evidence, context.policy));
  add_facts(*evidence, verdict.facts);
  check_gpus(std::nullopt, expected.nonce.value_or(evidence::Nonce{}), tee.root, context, verdict);
  verdict.facts["gpu_binding"] = "none";
  return verdict;
}

}  // namespace cloister::verify
