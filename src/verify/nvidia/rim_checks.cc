#include "verify/nvidia/rim_checks.h"

#include <algorithm>
#include <array>

#include "codec/corim.h"
#include "codec/cose.h"
#include "crypto/ecdsa.h"
#include "verify/check.h"
#include "verify/nvidia/device_identity.h"
#include "verify/nvidia/measurements.h"
#include "verify/nvidia/rim_ids.h"

namespace cloister::verify {
namespace {

using crypto::Certificate;

constexpr std::size_t kRimChainLength = 4;  // signer, L3, L2, root
constexpr std::array<std::string_view, 8> kSourceChecks = {"available", "form",    "signature",    "chain",
                                                           "arch",      "version", "measurements", "svn"};

// Signers live two years and manifests are signed anew: with the policy's leave an expired signer is judged at the last
// moment of its validity.
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

// Beside the signature's certificates a CoRIM says itself from when until when it is good.
Check check_corim_chain(const std::vector<Certificate>& chain, const codec::Corim* corim, const Certificate* root,
                        const Context& context, crypto::VerifiedLinks& cache) {
  if (corim != nullptr && ((corim->not_before && context.time < *corim->not_before) ||
                           (corim->not_after && context.time > *corim->not_after))) {
    return failed("chain", "the manifest itself is not valid at " + to_rfc3339(context.time));
  }
  return check_chain(chain, root, context, cache);
}

// A manifest in CBOR under a COSE signature. What it says is read and verified; it speaks of environments, which are
// not compared with reports here.
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
  for (const Bytes& der : document->certificates) {
    Result<Certificate> certificate = Certificate::from_der(der);
    if (!certificate) return unread(failed("form", certificate.error().message), "a certificate could not be read");
    out.chain.push_back(*std::move(certificate));
  }
  // The root may stay at home: it is pinned.
  if (root != nullptr && out.chain.size() == kRimChainLength - 1) out.chain.push_back(*root);
  const Result<Bytes> key = out.chain.front().ec_public_point();
  const auto valid = key ? crypto::verify_ecdsa(crypto::Curve::kP384, *key, document->signed_bytes, document->signature)
                         : Result<void>(key.error());
  if (!valid) {
    out.checks = {skipped("form", "nothing is read from a manifest whose signature does not hold"),
                  failed("signature", valid.error().message), check_chain(out.chain, root, context, cache)};
    return out;
  }
  const Result<codec::Corim> corim = codec::read_corim(document->payload);
  out.checks = {corim ? passed("form", "CoRIM, " + std::to_string(corim->references.size()) + " references")
                      : of_error(corim.error()),
                passed("signature"), check_corim_chain(out.chain, corim ? &*corim : nullptr, root, context, cache)};
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

bool same_version(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return lower(x) == lower(y);
  });
}

// GH100 for Hopper, GB... for Blackwell, GR... for Rubin, LS10.
Check check_arch(const std::string& id, const codec::Rim& rim, const std::string& arch) {
  const std::string family = arch == "HOPPER" ? "GH" : arch == "BLACKWELL" ? "GB" : arch == "RUBIN" ? "GR" : arch;
  if (!family.empty() && rim.product.starts_with(family)) return passed(id, rim.product);
  return failed(id, "the manifest is for another architecture", arch, rim.product);
}

// One source: the driver's manifest or the firmware's.
struct Source {
  std::string_view name;     // "driver", "vbios"
  std::string id;            // of the manifest; empty when it cannot be told
  std::string version;       // by the report
};

void check_source(const std::string& prefix, const Source& source, const JudgedRim* judged, const std::string& arch,
                  const codec::SpdmReport& report, Json& mismatches, Verdict& verdict) {
  const std::string own = prefix + "rim." + std::string(source.name) + ".";
  if (judged == nullptr) {
    verdict.add(skipped(own + "available", "the collateral holds no manifest " + source.id));
    for (const std::string_view check : kSourceChecks) {
      if (check != "available") verdict.add(skipped(own + std::string(check), "there is no manifest to judge by"));
    }
    return;
  }
  verdict.add(passed(own + "available", source.id));
  for (Check check : judged->checks) {
    check.id = own + check.id;
    verdict.add(std::move(check));
  }
  if (!judged->content) {
    for (const char* check : {"arch", "version", "measurements", "svn"}) {
      verdict.add(skipped(own + check, judged->is_corim ? "the values of a CoRIM are not compared with reports"
                                                        : "the manifest could not be read"));
    }
    return;
  }
  const codec::Rim& rim = *judged->content;
  verdict.add(check_arch(own + "arch", rim, arch));
  const bool same = same_version(rim.colloquial_version, source.version);
  verdict.add(same ? passed(own + "version", source.version)
                   : failed(own + "version", "the manifest is of another version", source.version,
                            rim.colloquial_version));
  const RimComparison result = compare_measurements(rim, report);
  if (result.active == 0) {
    verdict.add(failed(own + "measurements", "the manifest has no active entry"));
  } else if (result.mismatching.empty()) {
    verdict.add(passed(own + "measurements", std::to_string(result.active) + " measurements"));
  } else {
    verdict.add(failed(own + "measurements",
                       std::to_string(result.mismatching.size()) + " of " + std::to_string(result.active) +
                           " measurements differ at the " + std::string(source.name) +
                           " manifest's indices " + describe_mismatch(result.mismatching)));
  }
  if (rim.svn_floors.empty()) {
    verdict.add(not_applicable(own + "svn", "the manifest sets no floor"));
  } else if (const std::string below = below_floor(rim, report); !below.empty()) {
    verdict.add(failed(own + "svn", "a security version number is below the manifest's floor: " + below));
  } else {
    verdict.add(passed(own + "svn", std::to_string(rim.svn_floors.size()) +
                                        (rim.svn_floors.size() == 1 ? " floor" : " floors")));
  }
  for (const std::uint32_t index : result.mismatching) {
    mismatches.push_back({{"index", index}, {"source", source.name}});
  }
}

Check check_conflict(const std::string& id, const JudgedRim* driver, const JudgedRim* vbios) {
  if (driver == nullptr || vbios == nullptr || !driver->content || !vbios->content) {
    return skipped(id, "one of the two manifests is missing or could not be read");
  }
  const std::set<std::uint32_t> both = conflicting_indices(*driver->content, *vbios->content);
  if (both.empty()) return passed(id);
  std::string list;
  for (const std::uint32_t index : both) list += (list.empty() ? "" : ", ") + std::to_string(index);
  return failed(id, "both manifests have active entries at the indices " + list);
}

}  // namespace

const JudgedRim* RimLibrary::find(const std::string& id) {
  if (const auto known = judged_.find(id); known != judged_.end()) return &known->second;
  const auto text = context_.collateral.rims.find(id);
  if (text == context_.collateral.rims.end()) return nullptr;
  return &judged_.emplace(id, judge(text->second, root_, context_, cache_)).first->second;
}

void add_rim_checks(const std::string& prefix, Check (*make)(std::string id, const std::string& why),
                    const std::string& why, Verdict& verdict) {
  for (const char* source : {"rim.driver.", "rim.vbios."}) {
    for (const std::string_view check : kSourceChecks) verdict.add(make(prefix + source + std::string(check), why));
  }
  verdict.add(make(prefix + "rim.conflict", why));
}

RimFindings check_rims(const std::string& prefix, const codec::SpdmReport& report,
                       const std::vector<Certificate>& chain, RimLibrary& library, Verdict& verdict) {
  RimFindings out;
  const Result<RimIds> ids = rim_ids(report, chain);
  if (!ids) {
    for (const char* source : {"driver", "vbios"}) {
      const std::string own = prefix + "rim." + source + ".";
      for (const std::string_view check : kSourceChecks) {
        const std::string id = own + std::string(check);
        verdict.add(check == "available" ? failed(id, ids.error().message)
                                         : skipped(id, "which manifest to judge by is not known"));
      }
    }
    verdict.add(skipped(prefix + "rim.conflict", "which manifests to judge by is not known"));
    return out;
  }
  const std::string arch = device_arch(chain[1]);
  Json mismatches = Json::array();
  out.vbios = library.find(ids->vbios);
  if (is_switch(arch)) {
    out.switch_without_driver = true;
    for (const std::string_view check : kSourceChecks) {
      verdict.add(not_applicable(prefix + "rim.driver." + std::string(check), "a switch has no driver of its own"));
    }
  } else {
    out.driver = library.find(ids->driver);
    check_source(prefix, {"driver", ids->driver, driver_version(report)}, out.driver, arch, report, mismatches,
                 verdict);
    out.facts["driver_rim"] = ids->driver;
  }
  check_source(prefix, {"vbios", ids->vbios, vbios_version(report)}, out.vbios, arch, report, mismatches, verdict);
  out.facts["vbios_rim"] = ids->vbios;
  verdict.add(out.switch_without_driver ? not_applicable(prefix + "rim.conflict", "a switch has one manifest only")
                                        : check_conflict(prefix + "rim.conflict", out.driver, out.vbios));
  out.facts["mismatches"] = std::move(mismatches);
  return out;
}

}  // namespace cloister::verify
