#include "verify/tdx/judged_collateral.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "crypto/known_certificates.h"
#include "verify/tdx/known_issuers.h"
#include "verify/tdx/tcb_levels.h"

namespace cloister::verify {
namespace {

using crypto::Certificate;
using crypto::Curve;

constexpr std::size_t kIssuerChainLength = 2;
constexpr std::array<std::string_view, 1> kSigningLeaf = {"Intel SGX TCB Signing"};
constexpr std::array<std::string_view, 2> kPckIssuers = {"Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA"};

std::string id_of(std::string_view prefix, std::string_view what) {
  return "tdx.collateral." + std::string(prefix) + "." + std::string(what);
}

// An issuer chain of two certificates that ends in the root and whose first certificate has one of `names`. All kinds
// of Intel's certificates are issued under the same root, so the role is part of the check.
template <typename Names>
Check check_chain(std::string id, const Result<std::vector<Certificate>>& read, const Names& names,
                  const Certificate& root, crypto::ChainStart start, crypto::VerifiedLinks& links) {
  if (!read) return failed(std::move(id), read.error().message);
  const std::vector<Certificate>& chain = *read;
  if (chain.size() != kIssuerChainLength) {
    return failed(std::move(id), "expected the issuer's certificate and the root", "2 certificates",
                  std::to_string(chain.size()));
  }
  const std::string name = chain[0].subject_common_name();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    return failed(std::move(id), "the issuer has another role", std::string(names[0]), name);
  }
  if (auto valid = crypto::check_chain_links(chain, root, Curve::kP256, &links, start); !valid) {
    return failed(std::move(id), valid.error().message);
  }
  return passed(std::move(id), name);
}

// Raw r || s over the text, by the key of the chain's first certificate, whoever that is: another check verifies the chain.
Check check_signature(std::string id, const std::string& text, const std::string& signature_hex,
                      const std::vector<Certificate>& certificates) {
  if (certificates.empty()) return skipped(std::move(id), "the signing certificate could not be read");
  const Result<ByteArray<64>> signature = from_hex_exactly<64>(signature_hex);
  if (!signature) return failed(std::move(id), "the signature is not 64 bytes in hex: " + signature.error().message);
  auto valid = crypto::verify_ecdsa_by(certificates[0], Curve::kP256, as_bytes(text), *signature);
  return valid ? passed(std::move(id)) : failed(std::move(id), valid.error().message);
}

// Parsed certificates count as known from then on.
Result<std::vector<Certificate>> parse_chain(std::vector<Certificate>& known, const std::string& pem) {
  Result<std::vector<Certificate>> chain = crypto::parse_pem_chain_with(known, as_bytes(pem));
  if (!chain) return chain;
  for (const Certificate& certificate : *chain) {
    const bool is_known =
        std::any_of(known.begin(), known.end(), [&](const Certificate& other) { return other == certificate; });
    if (!is_known) known.push_back(certificate);
  }
  return chain;
}

struct DocumentSource {
  std::string_view prefix;
  const std::string& text;
  const std::string& signature;
  const std::string& issuer_chain;
  std::string_view expected_id;
};

template <typename Document>
JudgedDocument judge_document(const DocumentSource& source, const Result<Document>& read, const Certificate& root,
                              std::vector<Certificate>& known, crypto::VerifiedLinks& links) {
  JudgedDocument out;
  const std::string prefix(source.prefix);
  if (source.text.empty()) {
    const std::string absent = "the collateral has none";
    out.form = skipped(id_of(prefix, "form"), absent);
    out.kind = skipped(id_of(prefix, "kind"), absent);
    out.chain = skipped(id_of(prefix, "chain"), absent);
    out.signature = skipped(id_of(prefix, "signature"), absent);
    return out;
  }
  if (read) {
    out.form = passed(id_of(prefix, "form"));
    out.kind = compared(id_of(prefix, "kind"), std::string(source.expected_id), read->id, "it is not about TDX");
    out.issue_date = read->issue_date;
    out.next_update = read->next_update;
  } else {
    out.form = failed(id_of(prefix, "form"), read.error().message);
    out.kind = skipped(id_of(prefix, "kind"), "it could not be read");
  }
  Result<std::vector<Certificate>> chain = parse_chain(known, source.issuer_chain);
  out.chain = check_chain(id_of(prefix, "chain"), chain, kSigningLeaf, root, crypto::ChainStart::kEndEntity, links);
  if (chain) out.certificates = *std::move(chain);
  out.signature = check_signature(id_of(prefix, "signature"), source.text, source.signature, out.certificates);
  return out;
}

JudgedCrl judge_crl(std::string_view prefix, ByteView der, const std::vector<Certificate>& issuer) {
  JudgedCrl out;
  if (der.empty()) {
    out.form = skipped(id_of(prefix, "form"), "the collateral has none");
    out.signature = skipped(id_of(prefix, "signature"), "the collateral has none");
    return out;
  }
  Result<crypto::Crl> read = crypto::Crl::from_der(der);
  if (!read) {
    out.form = failed(id_of(prefix, "form"), read.error().message);
    out.signature = skipped(id_of(prefix, "signature"), "it could not be read");
    return out;
  }
  out.form = passed(id_of(prefix, "form"), std::to_string(read->size()) + " revoked");
  if (issuer.empty()) {
    out.signature = skipped(id_of(prefix, "signature"), "the certificate of its issuer could not be read");
  } else if (auto valid = read->verify(issuer.front(), Curve::kP256); !valid) {
    out.signature = failed(id_of(prefix, "signature"), valid.error().message);
  } else {
    out.signature = passed(id_of(prefix, "signature"), issuer.front().subject_common_name());
  }
  out.crl = *std::move(read);
  return out;
}

template <typename Document>
std::optional<Document> sorted(Result<Document> read) {
  if (!read) return std::nullopt;
  sort_levels(*read);
  return *std::move(read);
}

}  // namespace

JudgedTdxCollateral judge_collateral(const TdxCollateral& collateral, const Certificate& root) {
  JudgedTdxCollateral out;
  out.source = collateral;
  std::vector<Certificate> known = known_issuers().certificates;
  known.push_back(root);
  out.links = known_issuers().links;

  Result<codec::TcbInfo> tcb_info = codec::parse_tcb_info(collateral.tcb_info);
  out.tcb_info_document = judge_document(
      {"tcb_info", collateral.tcb_info, collateral.tcb_info_signature, collateral.tcb_info_issuer_chain, "TDX"},
      tcb_info, root, known, out.links);
  out.tcb_info = sorted(std::move(tcb_info));

  Result<codec::QeIdentity> qe_identity = codec::parse_qe_identity(collateral.qe_identity);
  out.qe_identity_document = judge_document({"qe_identity", collateral.qe_identity, collateral.qe_identity_signature,
                                             collateral.qe_identity_issuer_chain, "TD_QE"},
                                            qe_identity, root, known, out.links);
  out.qe_identity = sorted(std::move(qe_identity));

  out.root_crl = judge_crl("root_crl", collateral.root_ca_crl, {root});
  const std::string chain_id = id_of("pck_crl", "chain");
  if (collateral.pck_crl.empty() && collateral.pck_crl_issuer_chain.empty()) {
    out.pck_crl_chain = skipped(chain_id, "the collateral has none");
  } else {
    Result<std::vector<Certificate>> chain = parse_chain(known, collateral.pck_crl_issuer_chain);
    out.pck_crl_chain = check_chain(chain_id, chain, kPckIssuers, root, crypto::ChainStart::kAuthority, out.links);
    if (chain) out.pck_crl_certificates = *std::move(chain);
  }
  out.pck_crl = judge_crl("pck_crl", collateral.pck_crl, out.pck_crl_certificates);
  return out;
}

}  // namespace cloister::verify
