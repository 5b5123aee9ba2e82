#include "verify/snp/snp_checks.h"

#include <algorithm>
#include <string>

#include "base/encoding.h"
#include "crypto/ecdsa.h"
#include "crypto/x509_amd.h"
#include "verify/check.h"
#include "verify/policy/rules.h"
#include "verify/simulator_check.h"
#include "verify/snp.h"
#include "verify/snp/amd_roots.h"
#include "verify/snp/endorsement.h"
#include "verify/snp/policy_checks.h"

namespace cloister::verify {
namespace {

using codec::SnpReport;
using codec::SnpSigningKey;

std::string kind_text(SnpSigningKey key) {
  if (key == SnpSigningKey::kNone) return "none";
  return key == SnpSigningKey::kVcek ? "VCEK" : "VLEK";
}

Result<void> verify_signature(const SnpReport& report, const Endorsement& endorsement) {
  TRY(key, endorsement.chain.front().ec_public_point());
  return crypto::verify_ecdsa(crypto::Curve::kP384, key, report.signed_region, report.signature);
}

// The index of the collateral to use: the first whose key made the signature, else simply the first.
std::size_t choose(const SnpReport& report, const std::vector<SnpCollateral>& all, std::span<const AmdRoot> roots) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto endorsement = read_endorsement(all[i], roots);
    if (endorsement && verify_signature(report, *endorsement)) return i;
  }
  return 0;
}

Check check_chain(const Endorsement& endorsement, UnixSeconds time) {
  const std::string id = "snp.cert_chain";
  if (!endorsement.product) {
    return failed(id, "the chain ends in a root that is not pinned", "an AMD root key",
                  endorsement.chain.back().subject_common_name());
  }
  if (auto valid = crypto::verify_amd_certificate_chain(endorsement.chain, *endorsement.root, time); !valid) {
    return failed(id, valid.error().message);
  }
  // All authorities are certified under one root, so the role is part of the check.
  const std::string product(codec::to_text(*endorsement.product));
  const std::string expected = endorsement.kind == SnpSigningKey::kVcek ? "SEV-" + product : "SEV-VLEK-" + product;
  if (endorsement.chain[1].subject_common_name() != expected) {
    return failed(id, "the authority is one for another kind of key", expected,
                  endorsement.chain[1].subject_common_name());
  }
  return passed(id, "ark_" + product);
}

// Version 2 reports do not say which processor made them: then only the certificate says it, and the certificate is signed.
Check check_product(const SnpReport& report, const Endorsement& endorsement) {
  const std::string id = "snp.product";
  if (!endorsement.product) return skipped(id, "the chain ends in no known root");
  const std::string product(codec::to_text(*endorsement.product));
  const std::string& name = endorsement.product_name;
  if (name != product && !name.starts_with(product + "-")) {
    return failed(id, "the certificate is one for another product", product, name);
  }
  if (!report.has_cpuid) return passed(id, name, "the report names no processor");
  if (report.product == endorsement.product) return passed(id, name);
  return failed(id, "the report comes from another processor", product,
                "family " + std::to_string(report.family) + ", model " + std::to_string(report.model));
}

Check check_revocation(const Endorsement& endorsement, const Bytes& crl, UnixSeconds time) {
  const std::string id = "snp.revocation";
  if (!endorsement.product) return skipped(id, "the chain ends in no known root");
  if (crl.empty()) return skipped(id, "no revocation list was given");
  auto window = crypto::verify_amd_crl(crl, *endorsement.root, {endorsement.chain[1]}, time);
  if (!window) return failed(id, window.error().message);
  return passed(id, "list good until " + to_rfc3339(window->next_update));
}

Check check_signing_key(const SnpReport& report, const Endorsement& endorsement) {
  return compared("snp.signing_key", kind_text(report.signing_key), kind_text(endorsement.kind),
                  "the report names another kind of key than the certificate's");
}

Check check_signature(const SnpReport& report, const Endorsement& endorsement) {
  auto valid = verify_signature(report, endorsement);
  return valid ? passed("snp.signature") : failed("snp.signature", valid.error().message);
}

Check check_certified_tcb(const SnpReport& report, const Endorsement& endorsement) {
  const std::string id = "snp.tcb.certified";
  if (!endorsement.product) return skipped(id, "the chain ends in no known root");
  return compared(id, tcb_text(endorsement.tcb), tcb_text(decode_snp_tcb(report.reported_tcb, *endorsement.product)),
                  "the certificate is for other patch levels than the report names");
}

Check check_chip_id(const SnpReport& report, const Endorsement& endorsement) {
  const std::string id = "snp.chip_id";
  const ByteView chip = report.chip_id;
  const bool masked = std::all_of(chip.begin(), chip.end(), [](std::uint8_t b) { return b == 0; });
  if (endorsement.kind == SnpSigningKey::kVlek) {
    return not_applicable(id, "a VLEK belongs to a provider and not to one chip");
  }
  if (!endorsement.chip_id) return failed(id, "the certificate names no chip");
  if (masked || report.chip_key_masked) return failed(id, "the chip id is masked, and only a VLEK may go without");
  // Turin's ids have 8 bytes; the rest of the field is zero.
  Bytes expected = *endorsement.chip_id;
  expected.resize(chip.size());
  return compared(id, to_hex(expected), to_hex(chip), "the certificate is that of another chip");
}

constexpr std::string_view kEndorsed[] = {"snp.cert_chain", "snp.product",       "snp.revocation", "snp.signing_key",
                                          "snp.signature",  "snp.tcb.certified", "snp.chip_id"};

// Adds those checks of kEndorsed that have not been made.
void skip_rest(const std::string& reason, Verdict& verdict) {
  for (const std::string_view id : kEndorsed) {
    if (verdict.find(id) == nullptr) verdict.add(skipped(std::string(id), reason));
  }
}

// Adds what the chip's certificate decides. Returns the product, when a pinned root says which one it is.
std::optional<codec::SnpProduct> check_endorsement(const SnpReport& report, std::span<const AmdRoot> roots,
                                                   const Context& context, Verdict& verdict) {
  const std::vector<SnpCollateral>& all = context.collateral.snp;
  if (all.empty()) {
    skip_rest("no certificate of the chip was given", verdict);
    return std::nullopt;
  }
  const SnpCollateral& collateral = all[choose(report, all, roots)];
  const auto endorsement = read_endorsement(collateral, roots);
  if (!endorsement) {
    verdict.add(failed("snp.cert_chain", endorsement.error().message));
    skip_rest("the certificate of the chip could not be read", verdict);
    return std::nullopt;
  }
  verdict.add(check_chain(*endorsement, context.time));
  verdict.add(check_product(report, *endorsement));
  verdict.add(check_revocation(*endorsement, collateral.crl, context.time));
  verdict.add(check_signing_key(report, *endorsement));
  verdict.add(check_signature(report, *endorsement));
  verdict.add(check_certified_tcb(report, *endorsement));
  verdict.add(check_chip_id(report, *endorsement));
  return endorsement->product;
}

Check check_report_data(const SnpReport& report, const std::optional<Bytes>& expected, const Check& named) {
  const std::string id = "snp.report_data";
  if (!expected && named.state == State::kPass) return passed(id, named.actual, "the policy names it");
  if (!expected) return skipped(id, "the verifier gave no report data: the report may be old");
  return compared(id, to_hex(*expected), to_hex(report.report_data), "the report was made for other report data");
}

void add_facts(const SnpReport& report, UnixSeconds time, Json& facts) {
  facts["tee_type"] = "sev_snp";
  facts["judged_at"] = to_rfc3339(time);
  facts["snp_version"] = report.version;
  facts["report_data"] = to_hex(report.report_data);
  facts["measurement"] = to_hex(report.measurement);
  facts["host_data"] = to_hex(report.host_data);
  facts["id_key_digest"] = to_hex(report.id_key_digest);
  facts["author_key_digest"] = to_hex(report.author_key_digest);
  facts["chip_id"] = to_hex(report.chip_id);
  facts["signing_key"] = kind_text(report.signing_key);
  facts["platform_info"] = report.platform_info;
}

SnpFindings check_under(std::span<const AmdRoot> roots, ByteView bytes, const Context& context, Verdict& verdict) {
  const auto report = codec::parse_snp_report(bytes);
  if (!report) {
    verdict.add(failed("snp.report.form", report.error().message));
    skip_rest("the report could not be read", verdict);
    skip_snp_policy("the report could not be read", verdict);
    return {};
  }
  verdict.add(passed("snp.report.form", "version " + std::to_string(report->version)));
  add_facts(*report, context.time, verdict.facts);
  const auto product = check_endorsement(*report, roots, context, verdict);
  check_snp_policy(*report, product, context.policy, verdict);
  const auto passes = [&](const char* id) { return verdict.find(id)->state == State::kPass; };
  return {*report, passes("snp.cert_chain") && passes("snp.signature")};
}

}  // namespace

SnpFindings check_snp(ByteView bytes, const Context& context, Verdict& verdict) {
  return check_under(pinned_amd_roots(), bytes, context, verdict);
}

Verdict verify_snp(ByteView bytes, const std::optional<Bytes>& expected_report_data, const Context& context) {
  return verify_snp_under(pinned_amd_roots(), bytes, expected_report_data, context);
}

Verdict verify_snp_under(std::span<const AmdRoot> roots, ByteView bytes,
                         const std::optional<Bytes>& expected_report_data, const Context& context) {
  Verdict verdict;
  verdict.subject = "sev-snp report";
  const SnpFindings findings = check_under(roots, bytes, context, verdict);
  const RootKind root = findings.endorsed ? RootKind::kVendor : RootKind::kUnknown;
  verdict.add(check_tee_kind("sev_snp", root, context.policy));
  if (!findings.report) {
    skip_all(verdict, {"tee.report_data", "snp.report_data"}, "the report could not be read");
    require_rules(context.policy, verdict);
    return verdict;
  }
  const Check named = check_named_report_data(findings.report->report_data, context.policy);
  verdict.add(named);
  verdict.add(check_report_data(*findings.report, expected_report_data, named));
  require_rules(context.policy, verdict);
  return verdict;
}

}  // namespace cloister::verify
