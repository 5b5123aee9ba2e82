#include "verify/nvidia/rim_library.h"

#include "codec/cose.h"
#include "crypto/ecdsa.h"
#include "crypto/signed_xml.h"
#include "verify/check.h"
#include "verify/roots.h"

namespace cloister::verify {
namespace {

using crypto::Certificate;

constexpr std::size_t kRimChainLength = 4;  // signer, L3, L2, root

// Signers are valid for two years and manifests are signed again: if the policy allows it, an expired signer is
// verified at the last moment of its validity.
Check check_chain(const std::vector<Certificate>& chain, const Certificate* root, const Context& context,
                  crypto::VerifiedLinks& cache) {
  const std::string id = "chain";
  if (root == nullptr) return skipped(id, "no root of manifests is pinned");
  if (chain.size() != kRimChainLength) {
    return failed(id, "expected 4 certificates", "4", std::to_string(chain.size()));
  }
  UnixSeconds time = context.time;
  std::string detail;
  if (context.policy.nvidia.allow_expired_rim_signer && time > chain[0].not_after()) {
    time = chain[0].not_after();
    detail = "the signer expired on " + to_rfc3339(time) + ", and the policy accepts that";
  }
  const auto valid = crypto::verify_certificate_chain(chain, *root, crypto::Curve::kP384, time, &cache);
  if (!valid) return failed(id, valid.error().message);
  return passed(id, std::string(root_name(RootUse::kRim, RootKind::kVendor)), detail);
}

// As well as the signature's certificates, a CoRIM itself says from when until when it is valid.
Check check_corim_chain(const std::vector<Certificate>& chain, const codec::Corim* corim, const Certificate* root,
                        const Context& context, crypto::VerifiedLinks& cache) {
  if (corim != nullptr && ((corim->not_before && context.time < *corim->not_before) ||
                           (corim->not_after && context.time > *corim->not_after))) {
    return failed("chain", "the manifest itself is not valid at " + to_rfc3339(context.time));
  }
  return check_chain(chain, root, context, cache);
}

// The root need not be included, since it is pinned.
Result<std::vector<Certificate>> corim_chain(const codec::CoseSign1& document, const Certificate* root) {
  std::vector<Certificate> out;
  for (const Bytes& der : document.certificates) {
    TRY(certificate, Certificate::from_der(der));
    out.push_back(std::move(certificate));
  }
  if (root != nullptr && out.size() == kRimChainLength - 1) out.push_back(*root);
  return out;
}

// Verifies a manifest in CBOR with a COSE signature.
JudgedRim judge_corim(const std::string& text, const Certificate* root, const Context& context,
                      crypto::VerifiedLinks& cache) {
  JudgedRim out;
  out.is_corim = true;
  const auto unread = [&](Check form, const std::string& why) {
    out.checks = {std::move(form), skipped("signature", why), skipped("chain", why)};
    return out;
  };
  const auto of_error = [](const Error& error) {
    return error.code == ErrorCode::kUnsupported ? skipped("form", error.message) : failed("form", error.message);
  };
  const Result<codec::CoseSign1> document = codec::parse_cose_sign1(as_bytes(text));
  if (!document) return unread(failed("form", document.error().message), "the manifest could not be read");
  Result<std::vector<Certificate>> chain = corim_chain(*document, root);
  if (!chain) return unread(failed("form", chain.error().message), "a certificate could not be read");
  out.chain = *std::move(chain);
  const Result<Bytes> key = out.chain.front().ec_public_point();
  const auto valid = key ? crypto::verify_ecdsa(crypto::Curve::kP384, *key, document->signed_bytes, document->signature)
                         : Result<void>(key.error());
  if (!valid) {
    out.checks = {skipped("form", "nothing is read from a manifest whose signature does not hold"),
                  failed("signature", valid.error().message), check_chain(out.chain, root, context, cache)};
    return out;
  }
  Result<codec::Corim> corim = codec::read_corim(document->payload);
  out.checks = {corim ? passed("form", "CoRIM, " + std::to_string(corim->references.size()) + " references")
                      : of_error(corim.error()),
                passed("signature"), check_corim_chain(out.chain, corim ? &*corim : nullptr, root, context, cache)};
  if (corim) out.corim = *std::move(corim);
  return out;
}

JudgedRim judge(const std::string& text, const Certificate* root, const Context& context,
                crypto::VerifiedLinks& cache) {
  JudgedRim out;
  const auto unread = [&](Check form, const std::string& why) {
    out.checks = {std::move(form), skipped("signature", why), skipped("chain", why)};
  };
  if (codec::is_corim(text)) return judge_corim(text, root, context, cache);
  const Result<crypto::SignedXml> document = crypto::SignedXml::parse(text);
  if (!document) {
    unread(failed("form", document.error().message), "the manifest could not be read");
    return out;
  }
  out.chain = document->certificates();
  const Result<crypto::XmlElement> content = document->verify();
  if (!content) {
    out.checks = {skipped("form", "nothing is read from a manifest whose signature does not hold"),
                  failed("signature", content.error().message)};
  } else if (Result<codec::Rim> rim = codec::read_rim(*content); rim) {
    out.checks = {passed("form", rim->product + " " + rim->colloquial_version), passed("signature")};
    out.content = *std::move(rim);
  } else {
    out.checks = {failed("form", rim.error().message), passed("signature")};
  }
  out.checks.push_back(check_chain(out.chain, root, context, cache));
  return out;
}

}  // namespace

const JudgedRim* RimLibrary::find(const std::string& id) {
  if (const auto known = judged_.find(id); known != judged_.end()) return &known->second;
  const auto text = context_.collateral.rims.find(id);
  if (text == context_.collateral.rims.end()) return nullptr;
  return &judged_.emplace(id, judge(text->second, root_, context_, cache_)).first->second;
}

std::vector<Certificate> rim_signers(const std::string& text) {
  if (!codec::is_corim(text)) {
    const Result<crypto::SignedXml> document = crypto::SignedXml::parse(text);
    return document ? document->certificates() : std::vector<Certificate>();
  }
  const Result<codec::CoseSign1> document = codec::parse_cose_sign1(as_bytes(text));
  if (!document) return {};
  return corim_chain(*document, pinned_root(RootUse::kRim, RootKind::kVendor)).value_or({});
}

}  // namespace cloister::verify
