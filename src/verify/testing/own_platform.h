// For tests only: a platform of our own with everything that Intel publishes about a genuine one, under a root of our
// own, so that each part can be made wrong while all signatures stay valid.
#pragma once

#include <string>
#include <vector>

#include "base/encoding.h"
#include "codec/json.h"
#include "codec/tdx_quote.h"
#include "crypto/testing/der_maker.h"
#include "crypto/x509.h"
#include "verify/collateral.h"
#include "verify/tdx/pck_extension.h"

namespace cloister::testing {

constexpr UnixSeconds kIssued = 1750000000;  // 2025-06-15T15:06:40Z
constexpr UnixSeconds kNow = kIssued + 86400;
constexpr UnixSeconds kSuperseded = kIssued + 30 * 86400;
constexpr UnixSeconds kCertificatesFrom = 1700000000, kCertificatesUntil = 1900000000;
constexpr const char* kOldDate = "2023-02-15T00:00:00Z";
constexpr const char* kNewDate = "2024-03-13T00:00:00Z";

class OwnPlatform {
 public:
  // What a test changes before build().
  Json tcb_info, qe_identity;
  CrlMaker root_crl, pck_crl;
  std::string signing_name = "Intel SGX TCB Signing";
  std::string ca_name = "Intel SGX PCK Platform CA";
  codec::TdxQuote quote;
  verify::PckExtension pck;

  OwnPlatform() : root_key(key("root")), signing_key(key("signing")), ca_key(key("ca")), pck_key(key("pck")) {
    tcb_info = {
        {"id", "TDX"},
        {"version", 3},
        {"issueDate", to_rfc3339(kIssued)},
        {"nextUpdate", to_rfc3339(kSuperseded)},
        {"fmspc", "B0C06F000000"},
        {"pceId", "0000"},
        {"tcbType", 0},
        {"tcbEvaluationDataNumber", 17},
        {"tdxModule", module_signer()},
        {"tdxModuleIdentities",
         Json::array({module("TDX_01", {isv_level(4, "UpToDate", kNewDate), isv_level(2, "OutOfDate", kOldDate)})})},
        {"tcbLevels", Json::array({level({2, 2, 2}, 11, {5, 0, 2}, "UpToDate", kNewDate),
                                   level({2, 2, 1}, 5, {5, 0, 1}, "OutOfDate", kOldDate, {"INTEL-SA-00001"})})}};
    qe_identity = {
        {"id", "TD_QE"},
        {"version", 2},
        {"issueDate", to_rfc3339(kIssued)},
        {"nextUpdate", to_rfc3339(kSuperseded)},
        {"tcbEvaluationDataNumber", 17},
        {"miscselect", "00000000"},
        {"miscselectMask", "FFFFFFFF"},
        {"attributes", "11000000000000000000000000000000"},
        {"attributesMask", "FBFFFFFFFFFFFFFF0000000000000000"},
        {"mrsigner", std::string(64, 'D')},
        {"isvprodid", 2},
        {"tcbLevels", Json::array({isv_level(4, "UpToDate", kNewDate), isv_level(2, "OutOfDate", kOldDate)})}};
    root_crl.issuer_common_name = "Intel SGX Root CA";
    pck_crl.issuer_common_name = ca_name;
    for (CrlMaker* list : {&root_crl, &pck_crl}) {
      list->organization = kOrganization;
      list->this_update = kIssued;
      list->next_update = kSuperseded;
    }
    quote.report.tee_tcb_svn = {4, 1, 2};
    quote.report.td_attributes = {0, 0, 0, 0x10};
    quote.report.xfam = {0xe7, 0x02, 0x06};
    quote.qe_report.isv_prod_id = 2;
    quote.qe_report.isv_svn = 4;
    quote.qe_report.attributes = {0x11, 0, 0, 0, 0, 0, 0, 0, 0xe7};
    quote.qe_report.mr_signer.fill(0xdd);
    pck.component_svns = {2, 2, 2};
    pck.pce_svn = 11;
    pck.fmspc = {0xb0, 0xc0, 0x6f};
    pck.sgx_type = 1;
  }

  crypto::Certificate root() const {
    return issue("Intel SGX Root CA", "Intel SGX Root CA", 1, true, 1, root_key, root_key);
  }
  crypto::Certificate ca() const { return issue(ca_name, "Intel SGX Root CA", 2, true, 0, ca_key, root_key); }
  crypto::Certificate signer() const {
    return issue(signing_name, "Intel SGX Root CA", 3, false, std::nullopt, signing_key, root_key);
  }
  crypto::Certificate leaf() const {
    return issue("Intel SGX PCK Certificate", ca_name, 4, false, std::nullopt, pck_key, ca_key);
  }
  std::vector<crypto::Certificate> pck_chain() const { return {leaf(), ca(), root()}; }

  verify::TdxCollateral build() const {
    verify::TdxCollateral out;
    out.tcb_info = codec::write_json(tcb_info);
    out.tcb_info_signature = to_hex(signing_key.sign(as_bytes(out.tcb_info)));
    out.tcb_info_issuer_chain = signer().to_pem() + root().to_pem();
    out.qe_identity = codec::write_json(qe_identity);
    out.qe_identity_signature = to_hex(signing_key.sign(as_bytes(out.qe_identity)));
    out.qe_identity_issuer_chain = out.tcb_info_issuer_chain;
    out.root_ca_crl = root_crl.sign(root_key);
    out.pck_crl = pck_crl.sign(ca_key);
    out.pck_crl_issuer_chain = ca().to_pem() + root().to_pem();
    return out;
  }

  static crypto::EcKey key(const std::string& label) {
    return *crypto::EcKey::derive(crypto::Curve::kP256, Bytes(32, 9), label);
  }
  static crypto::Certificate issue(const std::string& subject, const std::string& issuer, std::uint8_t serial, bool ca,
                                   std::optional<int> path_length, const crypto::EcKey& subject_key,
                                   const crypto::EcKey& issuer_key, UnixSeconds from = kCertificatesFrom,
                                   UnixSeconds until = kCertificatesUntil) {
    crypto::CertificateSpec spec;
    spec.subject_common_name = subject;
    spec.issuer_common_name = issuer;
    spec.organization = kOrganization;
    spec.not_before = from;
    spec.not_after = until;
    spec.serial = {serial};
    spec.is_ca = ca;
    spec.path_length = path_length;
    return *crypto::issue_certificate(spec, subject_key, issuer_key);
  }

  static Json module_signer() {
    return {{"mrsigner", std::string(96, '0')},
            {"attributes", std::string(16, '0')},
            {"attributesMask", std::string(16, 'F')}};
  }
  static Json module(const std::string& id, std::initializer_list<Json> levels) {
    Json out = module_signer();
    out["id"] = id;
    out["tcbLevels"] = Json::array();
    for (const Json& entry : levels) out["tcbLevels"].push_back(entry);
    return out;
  }
  static Json isv_level(int svn, const std::string& status, const std::string& date,
                        const std::vector<std::string>& advisories = {}) {
    return with_advisories({{"tcb", {{"isvsvn", svn}}}, {"tcbDate", date}, {"tcbStatus", status}}, advisories);
  }
  static Json level(std::initializer_list<int> sgx, int pce_svn, std::initializer_list<int> tdx,
                    const std::string& status, const std::string& date,
                    const std::vector<std::string>& advisories = {}) {
    return with_advisories(
        {{"tcb", {{"sgxtcbcomponents", components(sgx)}, {"pcesvn", pce_svn}, {"tdxtcbcomponents", components(tdx)}}},
         {"tcbDate", date},
         {"tcbStatus", status}},
        advisories);
  }

  const crypto::EcKey root_key, signing_key, ca_key, pck_key;

 private:
  static constexpr const char* kOrganization = "Test";

  static Json with_advisories(Json entry, const std::vector<std::string>& advisories) {
    if (!advisories.empty()) entry["advisoryIDs"] = advisories;
    return entry;
  }
  static Json components(std::initializer_list<int> first) {
    Json out = Json::array();
    for (const int svn : first) out.push_back({{"svn", svn}});
    while (out.size() < 16) out.push_back({{"svn", 0}});
    return out;
  }
};

}  // namespace cloister::testing
