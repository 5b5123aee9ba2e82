// Collateral: what makers publish about their devices and a verifier needs as well as the evidence. Other code fetches
// it (src/collateral); it is verified here, and trusted only as far as its own signatures reach.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::verify {

// For one Intel platform: TCB info, QE identity and both CRLs, each as the Provisioning Certification Service serves it
// (Intel PCS API v4). An empty member is absent, and what needs it is then skipped.
struct TdxCollateral {
  std::string tcb_info;                  // the signed bytes of the inner object
  std::string tcb_info_signature;        // 128 hex characters
  std::string tcb_info_issuer_chain;     // PEM: signing leaf, root
  std::string qe_identity;               // the signed bytes of the inner object
  std::string qe_identity_signature;     // 128 hex characters
  std::string qe_identity_issuer_chain;  // PEM
  Bytes root_ca_crl;                     // DER
  Bytes pck_crl;                         // DER
  std::string pck_crl_issuer_chain;      // PEM: intermediate, root
  std::string pck_certificate_chain;     // PEM; only for quotes that do not carry their own (types 1 to 3)

  bool operator==(const TdxCollateral&) const = default;
};

struct SnpCollateral {
  Bytes vcek;           // DER; VCEK or VLEK
  std::string ask_ark;  // PEM: ASK (or ASVK), ARK
  Bytes crl;            // DER, signed by the ARK
};

struct Collateral {
  // The one whose TCB info names the quote's FMSPC is used; a single one is assumed to be meant for the quote.
  std::vector<TdxCollateral> tdx;
  std::map<std::string, std::string> rims;  // RIM id -> XML text or CoRIM
  std::vector<Bytes> ocsp_responses;        // DER; found by the certificate that they are about
  std::vector<Bytes> ocsp_nonces;  // nonces of our own live requests; empty when the responses came in a bundle
  std::string nras_token;          // detached EAT about the GPUs, as served
  std::string nras_switch_token;   // detached EAT about the switches, as served
  std::string nras_jwks;           // the key set that signs the tokens
  bool nras_jwks_live = false;     // fetched over TLS for this verdict: trusted because of the channel
  std::vector<SnpCollateral> snp;
  std::string measurement_list;            // docs/spec/measurement-list.md, the signed bytes
  std::string measurement_list_signature;  // 128 hex characters
};

}  // namespace cloister::verify
