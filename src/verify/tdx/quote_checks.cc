#include "verify/tdx/quote_checks.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "verify/check.h"
#include "verify/tdx/pck_extension.h"

namespace cloister::verify {
namespace {

using crypto::Certificate;
using crypto::Curve;

constexpr std::uint16_t kPemChain = 5;
constexpr std::size_t kPckChainLength = 3;
// All of Intel's leaves hang under one root, so the role is part of the check (attestation.md section 3.1).
constexpr std::array<std::string_view, 2> kLeafNames = {"Intel SGX PCK Certificate",
                                                        "INSECURE SIMULATOR PCK Certificate"};
constexpr std::array<std::string_view, 3> kIssuerNames = {"Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA",
                                                          "INSECURE SIMULATOR PCK Platform CA"};
// Bit 1 of the first byte of an enclave's ATTRIBUTES (Intel SDM volume 3D, 34.7).
constexpr std::uint8_t kSgxDebug = 0x02;

template <typename List>
bool is_one_of(const List& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Result<std::vector<Certificate>> read_pck_chain(const codec::TdxQuote& quote) {
  if (quote.certification_type != kPemChain) {
    return fail(ErrorCode::kBadCertificate, "expected certification data of type 5 (PEM chain), found type " +
                                                std::to_string(quote.certification_type));
  }
  TRY(chain, crypto::parse_pem_chain(quote.certification_data));
  if (chain.size() != kPckChainLength) {
    return fail(ErrorCode::kBadCertificate,
                "expected 3 certificates, found " + std::to_string(chain.size()));
  }
  return chain;
}

Check check_pck_chain(const std::vector<Certificate>& chain, RootKind kind, UnixSeconds time) {
  const std::string id = "tdx.pck_chain";
  const Certificate* root = pinned_root(RootUse::kCpu, kind);
  if (root == nullptr) {
    return failed(id, "the chain ends in a root that nobody pinned", "intel_sgx_root_ca",
                  chain.back().subject_common_name());
  }
  if (auto valid = crypto::verify_certificate_chain(chain, *root, Curve::kP256, time); !valid) {
    return failed(id, valid.error().message);
  }
  if (!is_one_of(kLeafNames, chain[0].subject_common_name())) {
    return failed(id, "the leaf is not a PCK certificate", std::string(kLeafNames[0]), chain[0].subject_common_name());
  }
  if (!is_one_of(kIssuerNames, chain[1].subject_common_name())) {
    return failed(id, "the issuer is not a PCK certificate authority", std::string(kIssuerNames[0]),
                  chain[1].subject_common_name());
  }
  return passed(id, std::string(root_name(RootUse::kCpu, kind)));
}

Check check_qe_signature(const codec::TdxQuote& quote, const Certificate& pck) {
  const std::string id = "tdx.qe_report.signature";
  const Result<Bytes> key = pck.ec_public_point();
  if (!key) return failed(id, key.error().message);
  auto valid = crypto::verify_ecdsa(Curve::kP256, *key, quote.qe_report_bytes, quote.qe_report_signature);
  return valid ? passed(id) : failed(id, valid.error().message);
}

// attestation.md section 2.6, step 3.
Check check_qe_binding(const codec::TdxQuote& quote) {
  Bytes bound(quote.attestation_key.begin(), quote.attestation_key.end());
  append(bound, quote.qe_authentication_data);
  ByteArray<64> expected{};
  const crypto::Sha256Digest digest = crypto::sha256(bound);
  std::copy(digest.begin(), digest.end(), expected.begin());
  return compared("tdx.qe_report.binding", to_hex(expected), to_hex(quote.qe_report.report_data),
                  "the enclave's report data is not the hash of the attestation key");
}

Check check_qe_debug(const codec::TdxQuote& quote) {
  const std::string actual = to_hex(quote.qe_report.attributes);
  if ((quote.qe_report.attributes[0] & kSgxDebug) == 0) return passed("tdx.qe_report.debug", actual);
  return failed("tdx.qe_report.debug", "the quoting enclave has the DEBUG attribute", "bit 1 clear", actual);
}

Check check_quote_signature(const codec::TdxQuote& quote) {
  const std::string id = "tdx.quote.signature";
  auto valid = crypto::verify_ecdsa(Curve::kP256, quote.attestation_key, quote.signed_region, quote.signature);
  return valid ? passed(id) : failed(id, valid.error().message);
}

// Bit 0 is DEBUG; bits 1 to 7 are reserved for further debug-like modes (attestation.md section 5).
Check check_td_debug(const codec::TdReport& report) {
  const std::string actual = to_hex(report.td_attributes);
  if (report.td_attributes[0] == 0) return passed("tdx.td_attributes.debug", actual);
  return failed("tdx.td_attributes.debug", "the VM is a debug VM", "bits 0 to 7 clear", actual);
}

void check_what_needs_collateral(RootKind kind, Verdict& verdict) {
  if (kind == RootKind::kInsecureSimulator) {
    const std::string reason = "the TEE is simulated: there is nothing to compare with";
    verdict.add(not_applicable("tdx.qe_identity", reason));
    verdict.add(not_applicable("tdx.tcb", reason));
    verdict.add(not_applicable("tdx.measurements", reason));
    return;
  }
  verdict.add(skipped("tdx.qe_identity", "collateral is not judged by this version"));
  verdict.add(skipped("tdx.tcb", "collateral is not judged by this version"));
  verdict.add(skipped("tdx.measurements", "no expected measurements were given"));
}

void add_facts(const codec::TdReport& report, Json& facts) {
  facts["report_data"] = to_hex(report.report_data);
  facts["mr_td"] = to_hex(report.mr_td);
  for (int i = 0; i < 4; ++i) facts["rtmr" + std::to_string(i)] = to_hex(report.rtmr[i]);
}

}  // namespace

QuoteFindings check_quote(ByteView bytes, const Context& context, Verdict& verdict) {
  QuoteFindings findings;
  Result<codec::TdxQuote> parsed = codec::parse_tdx_quote(bytes);
  if (!parsed) {
    verdict.add(failed("tdx.quote.form", parsed.error().message));
    skip_all(verdict, {"tdx.pck_chain", "tdx.qe_report.signature", "tdx.qe_report.binding", "tdx.qe_report.debug",
                       "tdx.quote.signature", "tdx.td_attributes.debug", "tdx.qe_identity", "tdx.tcb",
                       "tdx.measurements"},
             "the quote could not be read");
    return findings;
  }
  findings.quote = std::move(*parsed);
  const codec::TdxQuote& quote = *findings.quote;
  verdict.add(passed("tdx.quote.form", "version " + std::to_string(quote.version)));
  add_facts(quote.report, verdict.facts);

  if (Result<std::vector<Certificate>> chain = read_pck_chain(quote); chain) {
    findings.root = claimed_root(RootUse::kCpu, *chain);
    verdict.add(check_pck_chain(*chain, findings.root, context.time));
    verdict.add(check_qe_signature(quote, chain->front()));
    if (const auto fmspc = read_fmspc(chain->front()); fmspc) verdict.facts["fmspc"] = to_hex(*fmspc);
  } else {
    verdict.add(failed("tdx.pck_chain", chain.error().message));
    verdict.add(skipped("tdx.qe_report.signature", "the PCK certificate could not be read"));
  }
  verdict.add(check_qe_binding(quote));
  verdict.add(check_qe_debug(quote));
  verdict.add(check_quote_signature(quote));
  verdict.add(check_td_debug(quote.report));
  check_what_needs_collateral(findings.root, verdict);
  return findings;
}

}  // namespace cloister::verify
