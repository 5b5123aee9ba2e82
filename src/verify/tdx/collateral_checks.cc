#include "verify/tdx/collateral_checks.h"

#include <algorithm>
#include <string_view>

#include "verify/check.h"

namespace cloister::verify {
namespace {

using crypto::Certificate;

constexpr std::string_view kIds[] = {
    "tdx.collateral.tcb_info.form",          "tdx.collateral.tcb_info.kind",
    "tdx.collateral.tcb_info.chain",         "tdx.collateral.tcb_info.signature",
    "tdx.collateral.tcb_info.window",        "tdx.collateral.tcb_info.revocation",
    "tdx.collateral.qe_identity.form",       "tdx.collateral.qe_identity.kind",
    "tdx.collateral.qe_identity.chain",      "tdx.collateral.qe_identity.signature",
    "tdx.collateral.qe_identity.window",     "tdx.collateral.qe_identity.revocation",
    "tdx.collateral.root_crl.form",          "tdx.collateral.root_crl.signature",
    "tdx.collateral.root_crl.window",        "tdx.collateral.pck_crl.form",
    "tdx.collateral.pck_crl.chain",          "tdx.collateral.pck_crl.issuer",
    "tdx.collateral.pck_crl.signature",      "tdx.collateral.pck_crl.window",
    "tdx.collateral.evaluation_data_number", "tdx.pck.revocation",
};

std::string prefix_of(std::string_view part) { return "tdx.collateral." + std::string(part) + "."; }

// Passes when `begin` <= time < `end`.
Check check_window(std::string id, std::optional<UnixSeconds> begin, std::optional<UnixSeconds> end, UnixSeconds time) {
  if (!begin || !end) return skipped(std::move(id), "it could not be read");
  const std::string window = "from " + to_rfc3339(*begin) + " until before " + to_rfc3339(*end);
  if (time < *begin) return failed(std::move(id), "it was issued after the time judged at", window, to_rfc3339(time));
  if (time >= *end) return failed(std::move(id), "it has expired", window, to_rfc3339(time));
  return passed(std::move(id), window);
}

// The timeless result, unless it passed and a certificate is not valid at the time.
Check at_time(const Check& chain, const std::vector<Certificate>& certificates, UnixSeconds time) {
  if (chain.state != State::kPass) return chain;
  const auto valid = crypto::check_chain_validity(certificates, time);
  return valid ? chain : failed(chain.id, valid.error().message);
}

Check check_not_listed(std::string id, const JudgedCrl& list, const std::vector<Certificate>& certificates) {
  if (!list.crl) return skipped(std::move(id), "there is no readable revocation list of the root");
  if (certificates.empty()) return skipped(std::move(id), "the signing certificate could not be read");
  if (list.crl->lists(certificates[0])) return failed(std::move(id), "the signing certificate has been revoked");
  return passed(std::move(id), certificates[0].subject_common_name());
}

void add_document(std::string_view part, const JudgedDocument& document, const JudgedCrl& root_crl, UnixSeconds time,
                  Verdict& verdict) {
  const std::string prefix = prefix_of(part);
  verdict.add(document.form);
  verdict.add(document.kind);
  verdict.add(at_time(document.chain, document.certificates, time));
  verdict.add(document.signature);
  verdict.add(check_window(prefix + "window", document.issue_date, document.next_update, time));
  verdict.add(check_not_listed(prefix + "revocation", root_crl, document.certificates));
}

Check check_crl_window(std::string id, const JudgedCrl& list, UnixSeconds time) {
  if (!list.crl) return skipped(std::move(id), "there is no readable revocation list");
  return check_window(std::move(id), list.crl->this_update(), list.crl->next_update(), time);
}

// The list has to be that of the very authority that issued the leaf: with its name and its key.
Check check_pck_crl_issuer(const JudgedTdxCollateral& collateral, const std::vector<Certificate>& pck_chain) {
  const std::string id = "tdx.collateral.pck_crl.issuer";
  if (!collateral.pck_crl.crl) return skipped(id, "there is no readable revocation list");
  if (pck_chain.size() < 2) return skipped(id, "the PCK certificate and its issuer could not be read");
  const std::string actual = collateral.pck_crl.crl->issuer_common_name();
  if (!collateral.pck_crl.crl->covers(pck_chain[0])) {
    return failed(id, "the list is about another authority's certificates", pck_chain[0].issuer_common_name(), actual);
  }
  const std::vector<Certificate>& issuer = collateral.pck_crl_certificates;
  if (issuer.empty()) return skipped(id, "the certificate of its issuer could not be read");
  if (issuer[0].subject_public_key_info() != pck_chain[1].subject_public_key_info()) {
    return failed(id, "the authority that made the list has another key than the one that issued the certificate");
  }
  return passed(id, actual);
}

// Looks for the leaf in the list of its authority, and for the authority in the list of the root.
Check check_pck_revocation(const JudgedTdxCollateral& collateral, const std::vector<Certificate>& pck_chain) {
  const std::string id = "tdx.pck.revocation";
  if (pck_chain.size() < 2) return skipped(id, "the PCK certificate and its issuer could not be read");
  const std::optional<crypto::Crl>& leaf_list = collateral.pck_crl.crl;
  const std::optional<crypto::Crl>& root_list = collateral.root_crl.crl;
  if (leaf_list && leaf_list->lists(pck_chain[0])) return failed(id, "the PCK certificate has been revoked");
  for (std::size_t i = 1; root_list && i < pck_chain.size(); ++i) {
    if (root_list->lists(pck_chain[i])) return failed(id, "the authority of the PCK, or the root, has been revoked");
  }
  if (!leaf_list || !root_list)
    return skipped(id, "there is no readable revocation list of the PCK authority or the root");
  return passed(id, "not listed");
}

Check check_evaluation_number(const JudgedTdxCollateral& collateral, std::uint32_t least) {
  const std::string id = "tdx.collateral.evaluation_data_number";
  if (!collateral.tcb_info || !collateral.qe_identity) {
    return skipped(id, "the TCB info or the QE identity could not be read");
  }
  const std::uint32_t tcb_info = collateral.tcb_info->evaluation_data_number;
  const std::uint32_t qe_identity = collateral.qe_identity->evaluation_data_number;
  const std::string actual = "TCB info " + std::to_string(tcb_info) + ", QE identity " + std::to_string(qe_identity);
  if (std::min(tcb_info, qe_identity) < least) {
    return failed(id, "an older evaluation than the policy takes", "at least " + std::to_string(least), actual);
  }
  return passed(id, actual, tcb_info == qe_identity ? "" : "the two are of different evaluations");
}

void add_facts(const JudgedTdxCollateral& collateral, const std::vector<Certificate>& pck_chain, Json& facts) {
  Json numbers = Json::object();
  if (collateral.tcb_info) numbers["tcb_info"] = collateral.tcb_info->evaluation_data_number;
  if (collateral.qe_identity) numbers["qe_identity"] = collateral.qe_identity->evaluation_data_number;
  facts["evaluation_data_numbers"] = std::move(numbers);
  if (const auto end = collateral_expiry(collateral, pck_chain)) facts["collateral_expires"] = to_rfc3339(*end);
}

}  // namespace

std::optional<UnixSeconds> collateral_expiry(const JudgedTdxCollateral& collateral,
                                             const std::vector<Certificate>& pck_chain) {
  std::optional<UnixSeconds> first;
  const auto take = [&first](std::optional<UnixSeconds> end) {
    if (end && (!first || *end < *first)) first = end;
  };
  const auto take_chain = [&take](const std::vector<Certificate>& chain) {
    for (const Certificate& certificate : chain) take(certificate.not_after());
  };
  take(collateral.tcb_info_document.next_update);
  take(collateral.qe_identity_document.next_update);
  if (collateral.root_crl.crl) take(collateral.root_crl.crl->next_update());
  if (collateral.pck_crl.crl) take(collateral.pck_crl.crl->next_update());
  take_chain(collateral.tcb_info_document.certificates);
  take_chain(collateral.qe_identity_document.certificates);
  take_chain(collateral.pck_crl_certificates);
  take_chain(pck_chain);
  return first;
}

void add_collateral_checks(const JudgedTdxCollateral& collateral, const std::vector<Certificate>& pck_chain,
                           const TdxPolicy& policy, UnixSeconds time, Verdict& verdict) {
  add_document("tcb_info", collateral.tcb_info_document, collateral.root_crl, time, verdict);
  add_document("qe_identity", collateral.qe_identity_document, collateral.root_crl, time, verdict);
  verdict.add(collateral.root_crl.form);
  verdict.add(collateral.root_crl.signature);
  verdict.add(check_crl_window("tdx.collateral.root_crl.window", collateral.root_crl, time));
  verdict.add(collateral.pck_crl.form);
  verdict.add(at_time(collateral.pck_crl_chain, collateral.pck_crl_certificates, time));
  verdict.add(check_pck_crl_issuer(collateral, pck_chain));
  verdict.add(collateral.pck_crl.signature);
  verdict.add(check_crl_window("tdx.collateral.pck_crl.window", collateral.pck_crl, time));
  verdict.add(check_evaluation_number(collateral, policy.min_evaluation_data_number));
  verdict.add(check_pck_revocation(collateral, pck_chain));
  add_facts(collateral, pck_chain, verdict.facts);
}

void add_collateral_checks_undone(State state, const std::string& reason, Verdict& verdict) {
  for (const std::string_view id : kIds) {
    verdict.add(state == State::kNotApplicable ? not_applicable(std::string(id), reason)
                                               : skipped(std::string(id), reason));
  }
}

}  // namespace cloister::verify
