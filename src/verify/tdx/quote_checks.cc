#include "verify/tdx/quote_checks.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "crypto/known_certificates.h"
#include "verify/check.h"
#include "verify/tdx/collateral_cache.h"
#include "verify/tdx/collateral_checks.h"
#include "verify/tdx/expected_checks.h"
#include "verify/tdx/facts.h"
#include "verify/tdx/judged_collateral.h"
#include "verify/tdx/known_issuers.h"
#include "verify/tdx/pck_extension.h"
#include "verify/tdx/pck_identifier.h"
#include "verify/tdx/tcb_checks.h"
#include "verify/tdx/td_checks.h"

namespace cloister::verify {
namespace {

using crypto::Certificate;
using crypto::Curve;

constexpr std::uint16_t kPemChain = 5;
constexpr std::size_t kPckChainLength = 3;
// All of Intel's leaf certificates are issued under one root, so the role is part of the check.
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

// What the checks of one quote share.
struct Evidence {
  std::string_view pem;                              // the text of the chain, from the quote or the collateral
  std::shared_ptr<const VerifiedPckChain> verified;  // the same chain, when the cache has it
  std::vector<Certificate> pck_chain;  // leaf, intermediate, root as they came; empty when they could not be read
  std::optional<PckExtension> pck;     // extension of the leaf
  RootKind root = RootKind::kUnknown;
  const Certificate* root_certificate = nullptr;          // the trusted root of that kind; null for kUnknown
  std::shared_ptr<const JudgedTdxCollateral> collateral;  // null when there is none for this platform
  std::string no_collateral;                              // the reason why there is none
};

Result<std::vector<Certificate>> read_pck_chain(const std::vector<Certificate>& known, ByteView pem) {
  TRY(chain, crypto::parse_pem_chain_with(known, pem));
  if (chain.size() != kPckChainLength) {
    return fail(ErrorCode::kBadCertificate, "expected 3 certificates, found " + std::to_string(chain.size()));
  }
  return chain;
}

// In the quote, or for types 1 to 3, which have an encrypted PPID instead, in the collateral.
std::string_view find_pck_chain(const codec::TdxQuote& quote, const Collateral& collateral) {
  if (quote.certification_type == kPemChain) return as_text(quote.certification_data);
  const auto found = std::find_if(collateral.tdx.begin(), collateral.tdx.end(), [](const TdxCollateral& candidate) {
    return !candidate.pck_certificate_chain.empty();
  });
  return found == collateral.tdx.end() ? std::string_view() : std::string_view(found->pck_certificate_chain);
}

Check check_pck_chain(const Evidence& evidence, const Context& context) {
  const std::string id = "tdx.pck_chain";
  const std::vector<Certificate>& chain = evidence.pck_chain;
  const Certificate* root = evidence.root_certificate;
  if (root == nullptr) {
    return failed(id, "the chain ends in a root that is not pinned", "intel_sgx_root_ca",
                  chain.back().subject_common_name());
  }
  // The intermediate of the collateral is usually that of this chain.
  crypto::VerifiedLinks links = evidence.collateral ? evidence.collateral->links : known_issuers().links;
  if (evidence.verified) links = evidence.verified->links;
  if (auto valid = crypto::verify_certificate_chain(chain, *root, Curve::kP256, context.time, &links); !valid) {
    return failed(id, valid.error().message);
  }
  if (context.tdx_cache != nullptr && !evidence.verified)
    context.tdx_cache->remember({std::string(evidence.pem), chain, links});
  if (!is_one_of(kLeafNames, chain[0].subject_common_name())) {
    return failed(id, "the leaf is not a PCK certificate", std::string(kLeafNames[0]), chain[0].subject_common_name());
  }
  if (!is_one_of(kIssuerNames, chain[1].subject_common_name())) {
    return failed(id, "the issuer is not a PCK certificate authority", std::string(kIssuerNames[0]),
                  chain[1].subject_common_name());
  }
  return passed(id, std::string(root_name(RootUse::kCpu, evidence.root)));
}

// A quote names its platform by the PPID in the PCK certificate, the policy by the PPID's hash.
Check check_platform(const std::optional<PckExtension>& pck, const TdxPolicy& policy) {
  const std::string id = "tdx.pck.platform";
  if (policy.platform_ids.empty()) return not_applicable(id, "the policy takes any platform");
  if (!pck) return skipped(id, "the extension could not be read");
  const crypto::Sha256Digest digest = crypto::sha256(pck->ppid);
  if (policy.platform_ids.contains(Bytes(digest.begin(), digest.end()))) return passed(id, to_hex(digest));
  return failed(id, "none of the policy's platforms", to_hex(*policy.platform_ids.begin()), to_hex(digest));
}

Check check_qe_signature(const codec::TdxQuote& quote, const Certificate& pck) {
  const std::string id = "tdx.qe_report.signature";
  auto valid = crypto::verify_ecdsa_by(pck, Curve::kP256, quote.qe_report_bytes, quote.qe_report_signature);
  return valid ? passed(id) : failed(id, valid.error().message);
}

// The report data of the quoting enclave is SHA-256(attestation key || authentication data), then 32 zero bytes.
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

// True when the text of a TCB info names this FMSPC: a hint that saves parsing the others. The check is tdx.fmspc.
bool names_fmspc(std::string_view tcb_info, const ByteArray<6>& fmspc) {
  constexpr std::string_view kName = "\"fmspc\"";
  std::size_t at = tcb_info.find(kName);
  if (at == std::string_view::npos) return false;
  at = tcb_info.find('"', at + kName.size());
  if (at == std::string_view::npos) return false;
  const auto named = from_hex_exactly<6>(tcb_info.substr(at + 1, 12));
  return named && *named == fmspc;
}

// Finds the collateral for the quote's platform among the given sets.
void choose_collateral(const Context& context, const Certificate& vendor_root, Evidence& evidence) {
  const std::vector<TdxCollateral>& all = context.collateral.tdx;
  if (all.empty()) {
    evidence.no_collateral = "no collateral was given";
    return;
  }
  auto chosen = all.begin();
  if (all.size() > 1) {
    chosen = evidence.pck ? std::find_if(all.begin(), all.end(),
                                         [&](const TdxCollateral& candidate) {
                                           return names_fmspc(candidate.tcb_info, evidence.pck->fmspc);
                                         })
                          : all.end();
  }
  if (chosen == all.end()) {
    evidence.no_collateral = "none of the " + std::to_string(all.size()) + " collaterals is for this platform";
    return;
  }
  const bool pinned = &vendor_root == pinned_root(RootUse::kCpu, RootKind::kVendor);
  evidence.collateral = context.tdx_cache != nullptr && pinned
                            ? context.tdx_cache->judge(*chosen)
                            : std::make_shared<const JudgedTdxCollateral>(judge_collateral(*chosen, vendor_root));
}

// Finds which root the chain claims to end with, and what it has to equal byte for byte.
void find_root(const Certificate& vendor_root, Evidence& evidence) {
  evidence.root = evidence.pck_chain.back().der() == vendor_root.der()
                      ? RootKind::kVendor
                      : claimed_root(RootUse::kCpu, evidence.pck_chain);
  evidence.root_certificate =
      evidence.root == RootKind::kVendor ? &vendor_root : pinned_root(RootUse::kCpu, evidence.root);
}

Evidence gather(const codec::TdxQuote& quote, const Context& context, const Certificate& vendor_root,
                Verdict& verdict) {
  Evidence evidence;
  const std::string_view pem = find_pck_chain(quote, context.collateral);
  evidence.pem = pem;
  if (quote.certification_type != kPemChain && pem.empty()) {
    evidence.no_collateral = "the platform could not be made out";
    verdict.add(skipped("tdx.pck_chain", "the quote has an encrypted PPID (type " +
                                             std::to_string(quote.certification_type) +
                                             ") in place of the chain, and none was given"));
    skip_all(verdict, {"tdx.pck.extension", "tdx.qe_report.signature"}, "there is no PCK certificate");
    verdict.add(check_platform(std::nullopt, context.policy.tdx));
    return evidence;
  }
  // A single set of collateral needs no choice. Verified first, it brings certificates that the chain has too.
  std::vector<Certificate> known = known_issuers().certificates;
  known.push_back(vendor_root);
  if (context.collateral.tdx.size() == 1) {
    choose_collateral(context, vendor_root, evidence);
    const std::vector<Certificate>& issuers = evidence.collateral->pck_crl_certificates;
    known.insert(known.end(), issuers.begin(), issuers.end());
  }
  if (context.tdx_cache != nullptr) evidence.verified = context.tdx_cache->find_pck_chain(pem);
  Result<std::vector<Certificate>> chain =
      evidence.verified ? evidence.verified->certificates : read_pck_chain(known, as_bytes(pem));
  if (!chain) {
    evidence.collateral.reset();
    evidence.no_collateral = "the platform could not be made out";
    verdict.add(failed("tdx.pck_chain", chain.error().message));
    skip_all(verdict, {"tdx.pck.extension", "tdx.qe_report.signature"}, "the PCK certificate could not be read");
    verdict.add(check_platform(std::nullopt, context.policy.tdx));
    return evidence;
  }
  evidence.pck_chain = *std::move(chain);
  find_root(vendor_root, evidence);
  Result<PckExtension> extension = read_pck_extension(evidence.pck_chain.front());
  if (extension) evidence.pck = *extension;
  if (evidence.root == RootKind::kInsecureSimulator) {
    evidence.collateral.reset();
  } else if (evidence.collateral == nullptr) {
    choose_collateral(context, vendor_root, evidence);
  }
  verdict.add(check_pck_chain(evidence, context));
  verdict.add(check_pck_extension(extension));
  verdict.add(check_platform(evidence.pck, context.policy.tdx));
  if (evidence.pck) add_platform_facts(*evidence.pck, verdict.facts);
  verdict.add(check_qe_signature(quote, evidence.pck_chain.front()));
  return evidence;
}

void check_against_collateral(const codec::TdxQuote& quote, const Evidence& evidence, const Context& context,
                              Verdict& verdict) {
  const TdxPolicy& policy = context.policy.tdx;
  if (evidence.root == RootKind::kInsecureSimulator) {
    const std::string reason = "the TEE is simulated: there is nothing to compare with";
    add_collateral_checks_undone(State::kNotApplicable, reason, verdict);
    add_tcb_checks_undone(State::kNotApplicable, reason, verdict);
  } else if (evidence.collateral == nullptr) {
    add_collateral_checks_undone(State::kSkipped, evidence.no_collateral, verdict);
    add_tcb_checks_undone(State::kSkipped, evidence.no_collateral, verdict);
  } else {
    add_collateral_checks(*evidence.collateral, evidence.pck_chain, policy, context.time, verdict);
    add_tcb_checks(*evidence.collateral, quote, evidence.pck, policy, context.time, verdict);
  }
}

void skip_everything(const std::string& reason, Verdict& verdict) {
  skip_all(verdict,
           {"tdx.pck_chain", "tdx.pck.extension", "tdx.pck.platform", "tdx.pck.identifier", "tdx.qe_report.signature",
            "tdx.qe_report.binding", "tdx.qe_report.debug", "tdx.quote.signature"},
           reason);
  skip_td_checks(reason, verdict);
  skip_expected_checks(reason, verdict);
  add_collateral_checks_undone(State::kSkipped, reason, verdict);
  add_tcb_checks_undone(State::kSkipped, reason, verdict);
}

}  // namespace

QuoteFindings check_quote(ByteView bytes, const Context& context, Verdict& verdict) {
  return check_quote_under(*pinned_root(RootUse::kCpu, RootKind::kVendor), bytes, context, verdict);
}

QuoteFindings check_quote_under(const Certificate& vendor_root, ByteView bytes, const Context& context,
                                Verdict& verdict) {
  QuoteFindings findings;
  constexpr std::size_t kUsualChecks = 80;
  verdict.checks.reserve(verdict.checks.size() + kUsualChecks);
  Result<codec::TdxQuote> parsed = codec::parse_tdx_quote(bytes);
  if (!parsed) {
    verdict.add(failed("tdx.quote.form", parsed.error().message));
    skip_everything("the quote could not be read", verdict);
    return findings;
  }
  findings.quote = std::move(*parsed);
  const codec::TdxQuote& quote = *findings.quote;
  verdict.add(passed("tdx.quote.form", "version " + std::to_string(quote.version)));
  add_td_facts(quote, verdict.facts);
  const Evidence evidence = gather(quote, context, vendor_root, verdict);
  findings.root = evidence.root;
  verdict.add(check_pck_identifier(quote, evidence.pck));
  verdict.add(check_qe_binding(quote));
  verdict.add(check_qe_debug(quote));
  verdict.add(check_quote_signature(quote));
  add_td_checks(quote.report, context.policy.tdx, verdict);
  add_expected_checks(quote, evidence.pck, context.policy.tdx, verdict);
  check_against_collateral(quote, evidence, context, verdict);
  return findings;
}

}  // namespace cloister::verify
