// For tests only: GPUs, manifests, OCSP answers and tokens of our own under roots of our own, so that every check can
// be made to pass and to fail. Everything is derived from labels and is the same on every run, except the signatures of
// manifests and OCSP answers.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "codec/jwt.h"
#include "codec/spdm.h"
#include "crypto/hash.h"
#include "crypto/ocsp.h"
#include "crypto/signed_xml.h"
#include "crypto/x509.h"
#include "evidence/gpu_evidence.h"
#include "verify/nvidia/device_identity.h"
#include "verify/nvidia/gpu_checks.h"

namespace cloister::verify::testing {

using codec::OpaqueField;
using codec::SpdmReport;
using crypto::Certificate;
using crypto::Curve;
using crypto::EcKey;

inline constexpr UnixSeconds kWorldTime = 1780272000;  // 2026-06-01

inline EcKey world_key(const std::string& label) { return *EcKey::derive(Curve::kP384, Bytes(32, 0x77), label); }

// A chain, leaf first, with the labels of the keys.
struct WorldChain {
  std::vector<Certificate> certificates;
  std::vector<std::string> labels;
};

// The serial number in the form that NVIDIA gives its devices: a byte, then the PDI of eight bytes.
inline Bytes device_serial(const std::string& label) {
  Bytes out = to_bytes(ByteView(crypto::sha256(as_bytes("device " + label))).first(9));
  out[0] = 0x41;
  return out;
}

inline Certificate world_certificate(const std::string& name, const std::string& label, const std::string& issuer,
                                     const std::string& issuer_label, bool is_ca, UnixSeconds not_after = 253402300799,
                                     std::vector<crypto::CertificateExtension> extensions = {}, Bytes serial = {}) {
  crypto::CertificateSpec spec;
  spec.subject_common_name = name;
  spec.issuer_common_name = issuer;
  spec.not_before = 1600000000;
  spec.not_after = not_after;
  spec.serial = to_bytes(ByteView(crypto::sha256(as_bytes("serial of " + label))).first(12));
  spec.serial[0] |= 1;
  if (!serial.empty()) spec.serial = std::move(serial);
  spec.is_ca = is_ca;
  spec.extensions = std::move(extensions);
  return *crypto::issue_certificate(spec, world_key(label), world_key(issuer_label));
}

inline const Bytes& world_fwid() {
  static const Bytes digest(48, 0xfd);
  return digest;
}

// The end of Hopper's extension: SEQUENCE { OID SHA-384, OCTET STRING }.
inline Bytes fwid_extension() {
  Bytes out = {0x30, 0x3d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x04, 0x30};
  append(out, world_fwid());
  return out;
}

inline Bytes der_value(std::uint8_t tag, const Bytes& content) {
  Bytes out = {tag};
  if (content.size() >= 0x80) out.push_back(0x81);
  out.push_back(static_cast<std::uint8_t>(content.size()));
  append(out, content);
  return out;
}

// DICE TcbInfo as Rubin's certificates hold it: vendor, model, version "00", SVN 3, layer 0, index 0, digests, type.
inline Bytes tcb_info_extension(const std::string& model) {
  const auto text = [](std::string_view t) { return to_bytes(as_bytes(t)); };
  Bytes second = fwid_extension();
  std::fill(second.end() - 48, second.end(), std::uint8_t{0});
  Bytes fwids = fwid_extension(), fields;
  append(fwids, second);
  for (const auto& [tag, content] : std::vector<std::pair<std::uint8_t, Bytes>>{{0x80, text("NVIDIA")},
                                                                                {0x81, text(model)},
                                                                                {0x82, text("00")},
                                                                                {0x83, {3}},
                                                                                {0x84, {0}},
                                                                                {0x85, {0}},
                                                                                {0xa6, fwids},
                                                                                {0x87, {0, 0x80, 0, 0, 1}},
                                                                                {0x88, {0xc0}},
                                                                                {0x89, {0}}}) {
    append(fields, der_value(tag, content));
  }
  return der_value(0x30, fields);
}

// `model` is "GH100", "GB100", "GR100" or "LS_10".
inline WorldChain device_chain(const std::string& model, const std::string& device) {
  const std::string ca = "NVIDIA " + model + " Identity", ica = "NVIDIA " + model + " Provisioner ICA 1";
  const std::string brom = model + " A01 GSP BROM";
  std::vector<crypto::CertificateExtension> fwid;
  if (model == "GR100") fwid.push_back({"2.23.133.5.4.1.1", false, tcb_info_extension(model + " A01 GSP")});
  if (model != "LS_10" && model != "GR100") fwid.push_back({"2.23.133.5.4.1", false, fwid_extension()});
  return {{world_certificate(model + " A01 GSP FMC LF", device + " leaf", brom, device, false, 253402300799, fwid),
           world_certificate(brom, device, ica, ica, true, 253402300799, {}, device_serial(device)),
           world_certificate(ica, ica, ca, ca, true), world_certificate(ca, ca, "World Device CA", "device root", true),
           world_certificate("World Device CA", "device root", "World Device CA", "device root", true)},
          {device + " leaf", device, ica, ca, "device root"}};
}

inline WorldChain rim_chain(UnixSeconds signer_until = 253402300799) {
  return {{world_certificate("World RIM signer", "rim signer", "World RIM L3", "rim l3", false, signer_until),
           world_certificate("World RIM L3", "rim l3", "World RIM L2", "rim l2", true),
           world_certificate("World RIM L2", "rim l2", "World RIM Root", "rim root", true),
           world_certificate("World RIM Root", "rim root", "World RIM Root", "rim root", true)},
          {"rim signer", "rim l3", "rim l2", "rim root"}};
}

struct WorldRim {
  std::string product = "GH100";
  std::string version;
  // index -> hashes; all active. The other indices up to 63 exist and are inactive.
  std::map<std::uint32_t, std::vector<Bytes>> active;
  std::string floors;  // further Resources, with the prefix `o` for NVIDIA's opaque data
  std::string extra;   // after the Payload
};

// The content of device measurement `index` (1-based).
inline Bytes world_measurement(std::uint32_t index) { return Bytes(48, static_cast<std::uint8_t>(index)); }

inline std::string rim_xml(const WorldRim& rim) {
  std::string out = "<SoftwareIdentity xmlns=\"http://standards.iso.org/iso/19770/-2/2015/schema.xsd\" "
                    "xmlns:n=\"http://www.w3.org/2001/04/xmlenc#sha384\" "
                    "xmlns:o=\"https://docs.nvidia.com/attestation/specs/latest/opaque-data.html\" "
                    "tagId=\"world\"><Meta colloquialVersion=\"" +
                    rim.version + "\" edition=\"GPU\" product=\"" + rim.product + "\"/><Payload>";
  for (std::uint32_t index = 0; index < 64; ++index) {
    const auto found = rim.active.find(index);
    const std::vector<Bytes> hashes = found == rim.active.end() ? std::vector<Bytes>{Bytes(48, 0)} : found->second;
    out += "<Resource type=\"Measurement\" index=\"" + std::to_string(index) + "\" active=\"" +
           (found == rim.active.end() ? "False" : "True") + "\" size=\"" + std::to_string(hashes[0].size()) +
           "\" alternatives=\"" + std::to_string(hashes.size()) + "\"";
    for (std::size_t i = 0; i < hashes.size(); ++i)
      out += " n:Hash" + std::to_string(i) + "=\"" + to_hex(hashes[i]) + "\"";
    out += "/>";
  }
  return out + rim.floors + "</Payload>" + rim.extra + "</SoftwareIdentity>";
}

inline std::string signed_rim(const WorldRim& rim, const WorldChain& chain = rim_chain()) {
  return *crypto::sign_xml(rim_xml(rim), world_key(chain.labels[0]), chain.certificates);
}

inline WorldRim driver_rim() {
  WorldRim rim;
  rim.version = "570.10";
  for (std::uint32_t index = 21; index <= 40; ++index) rim.active[index] = {world_measurement(index + 1)};
  rim.active[7] = {world_measurement(8)};
  rim.active[23] = {Bytes(48, 0xee), world_measurement(24)};  // with an alternative
  return rim;
}

inline WorldRim vbios_rim() {
  WorldRim rim;
  rim.version = "96.00.a5.00.01";  // case does not matter
  for (std::uint32_t index = 0; index <= 12; ++index) {
    if (index != 7) rim.active[index] = {world_measurement(index + 1)};
  }
  return rim;
}

inline const std::string kDriverId = "NV_GPU_DRIVER_GH100_570.10";
inline const std::string kVbiosId = "NV_GPU_VBIOS_1010_0200_882_9600A50001";

inline Bytes zero_terminated(std::string_view text) {
  Bytes out = to_bytes(as_bytes(text));
  out.push_back(0);
  return out;
}

// A Hopper report as drivers from 550 on make it.
inline SpdmReport hopper_report(const ByteArray<32>& nonce, const std::string& device) {
  SpdmReport report;
  report.request_nonce = nonce;
  report.responder_nonce = crypto::sha256(as_bytes("responder " + device));
  for (std::uint32_t i = 1; i <= 64; ++i) {
    report.measurements.push_back({static_cast<std::uint8_t>(i), world_measurement(i)});
  }
  const auto set = [&](OpaqueField field, Bytes value) {
    report.opaque[static_cast<std::uint16_t>(field)] = std::move(value);
  };
  set(OpaqueField::kDriverVersion, zero_terminated("570.10"));
  set(OpaqueField::kVbiosVersion, {0x00, 0xa5, 0x00, 0x96, 0x01, 0, 0, 0});
  set(OpaqueField::kNvdec0Status, {0xaa});
  set(OpaqueField::kProject, zero_terminated("1010"));
  set(OpaqueField::kProjectSku, zero_terminated("0200"));
  Bytes chip = zero_terminated("882");
  chip.resize(9);
  set(OpaqueField::kChipSku, chip);
  set(OpaqueField::kFwid, world_fwid());
  set(OpaqueField::kProtectedPcieStatus, {0x55});
  return report;
}

inline evidence::GpuEvidence signed_device(const SpdmReport& report, const WorldChain& chain, std::string arch) {
  evidence::GpuEvidence out;
  out.arch = std::move(arch);
  out.report = codec::write_spdm_signed_region(report);
  append(out.report, world_key(chain.labels[0]).sign(out.report));
  for (const Certificate& certificate : chain.certificates) out.certificate_chain_pem += certificate.to_pem();
  return out;
}

// Adds answers about every certificate of the chain that has a responder, each signed by the certificate's issuer: not
// about the root, and for a device not about the leaf.
inline void add_ocsp(const WorldChain& chain, std::vector<Bytes>& responses,
                     const std::function<void(std::size_t, crypto::OcspResponseSpec&)>& change = {}) {
  const std::size_t first = chain.certificates.size() == kDeviceChainLength ? kFirstRevocable : 0;
  for (std::size_t i = first; i + 1 < chain.certificates.size(); ++i) {
    crypto::OcspResponseSpec spec;
    spec.this_update = kWorldTime - 600;
    spec.next_update = kWorldTime + 600;
    if (change) change(i, spec);
    const Certificate& issuer = chain.certificates[i + 1];
    responses.push_back(
        *crypto::make_ocsp_response(spec, chain.certificates[i], issuer, issuer, world_key(chain.labels[i + 1])));
  }
}

// Evidence and everything that it is verified with. Change a member, then call judge().
struct GpuWorld {
  ByteArray<32> nonce = crypto::sha256(as_bytes("world nonce"));
  std::vector<WorldChain> chains;
  evidence::NvidiaPayload payload;
  Collateral collateral;
  Policy policy;
  UnixSeconds time = kWorldTime;
  Certificate device_root = device_chain("GH100", "gpu 0").certificates.back();
  Certificate rim_root = rim_chain().certificates.back();
  const Certificate* nras_authority = nullptr;

  explicit GpuWorld(std::size_t gpus = 1) {
    payload.nonce_hex = to_hex(nonce);
    payload.arch = "HOPPER";
    for (std::size_t i = 0; i < gpus; ++i) {
      const std::string name = "gpu " + std::to_string(i);
      chains.push_back(device_chain("GH100", name));
      payload.evidence_list.push_back(signed_device(hopper_report(nonce, name), chains.back(), "HOPPER"));
      add_ocsp(chains.back(), collateral.ocsp_responses);
    }
    collateral.rims[kDriverId] = signed_rim(driver_rim());
    collateral.rims[kVbiosId] = signed_rim(vbios_rim());
    add_ocsp(rim_chain(), collateral.ocsp_responses);
  }

  // Signs device `index` again after a change of its report.
  void edit_report(std::size_t index, const std::function<void(SpdmReport&)>& change) {
    SpdmReport report = *codec::parse_spdm_report(payload.evidence_list[index].report);
    change(report);
    payload.evidence_list[index] = signed_device(report, chains[index], payload.evidence_list[index].arch);
  }

  void edit_rim(const std::string& id, const WorldRim& rim) { collateral.rims[id] = signed_rim(rim); }

  // Makes all answers anew, each with this change.
  void edit_ocsp(const std::function<void(const std::string& label, crypto::OcspResponseSpec&)>& change) {
    collateral.ocsp_responses.clear();
    std::vector<WorldChain> all = chains;
    all.push_back(rim_chain());
    for (const WorldChain& chain : all) {
      add_ocsp(chain, collateral.ocsp_responses,
               [&](std::size_t i, crypto::OcspResponseSpec& spec) { change(chain.labels[i], spec); });
    }
  }

  Verdict judge(bool with_nonce = true) const {
    Verdict verdict;
    GpuQuestion question;
    if (with_nonce) question.nonce = nonce;
    question.roots = {&device_root, &rim_root, nras_authority};
    judge_gpus(payload, question, {policy, collateral, time}, verdict);
    return verdict;
  }
};

// ---- tokens of the attestation service ----

inline std::string world_jwt(const Json& claims, const std::string& label = "nras key",
                             const Json& header = {{"kid", "world"}, {"alg", "ES384"}}) {
  const std::string text =
      codec::to_base64url(as_bytes(header.dump())) + "." + codec::to_base64url(as_bytes(claims.dump()));
  return text + "." + codec::to_base64url(world_key(label).sign(as_bytes(text)));
}

inline std::string world_jwks() {
  const Bytes point = world_key("nras key").public_point();
  return Json{{"keys", Json::array({Json{{"kty", "EC"},
                                         {"crv", "P-384"},
                                         {"kid", "world"},
                                         {"x", codec::to_base64url(ByteView(point).first(48))},
                                         {"y", codec::to_base64url(ByteView(point).subspan(48))}}})}}
      .dump();
}

struct WorldToken {
  Json overall;                       // without submods, which are made from the parts
  std::map<std::string, Json> parts;  // "GPU-0" -> claims

  // `ueids` of the GPUs.
  WorldToken(const GpuWorld& world, const std::vector<std::string>& ueids) {
    const Json common = {{"iss", "https://nras.attestation.nvidia.com"},
                         {"eat_nonce", to_hex(world.nonce)},
                         {"nbf", world.time - 10},
                         {"iat", world.time - 10},
                         {"exp", world.time + 3590}};
    overall = common;
    overall["sub"] = "NVIDIA-PLATFORM-ATTESTATION";
    overall["x-nvidia-ver"] = "3.0";
    overall["x-nvidia-overall-att-result"] = true;
    for (std::size_t i = 0; i < ueids.size(); ++i) {
      Json& part = parts["GPU-" + std::to_string(i)] = common;
      part["measres"] = "success";
      part["secboot"] = true;
      part["dbgstat"] = "disabled";
      part["ueid"] = ueids[i];
      part["x-nvidia-gpu-attestation-report-nonce-match"] = true;
      part["x-nvidia-gpu-driver-rim-cert-chain"] = {{"x-nvidia-cert-status", "valid"},
                                                    {"x-nvidia-cert-ocsp-status", "good"}};
    }
  }

  std::string text() const {
    Json list = Json::object(), submods = Json::object();
    for (const auto& [name, claims] : parts) {
      list[name] = world_jwt(claims);
      submods[name] = {"DIGEST", {"SHA-256", to_hex(crypto::sha256(as_bytes(list[name].get<std::string>())))}};
    }
    Json all = overall;
    if (!all.contains("submods")) all["submods"] = submods;
    return Json::array({Json::array({"JWT", world_jwt(all)}), list}).dump();
  }
};

}  // namespace cloister::verify::testing
