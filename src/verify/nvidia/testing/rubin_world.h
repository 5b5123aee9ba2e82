// For tests only: a GPU of Rubin's kind, whose report says what its measurements measure, and its two manifests in the
// CoRIM format, made like NVIDIA's public examples (docs/spec/nvidia-corim.md).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "codec/coev.h"
#include "codec/cose.h"
#include "codec/testing/cbor_values.h"
#include "verify/nvidia/testing/gpu_world.h"

namespace cloister::verify::testing {

using codec::CborValue;
namespace cb = codec::testing;

// A class of NVIDIA's arc: 1.3.6.1.4.1.5703.1300.1.1.11.1 and these arcs, each below 128.
inline CborValue arc_class(std::vector<std::uint8_t> arcs) {
  Bytes oid = {0x2b, 6, 1, 4, 1, 0xac, 0x47, 0x8a, 0x14, 1, 1, 11, 1};
  append(oid, Bytes(arcs.begin(), arcs.end()));
  return cb::map({cb::number(0), cb::map({cb::number(0), cb::tag(111, cb::bytes(oid))})});
}
inline CborValue model_class(const std::string& model, std::uint64_t layer = 0) {
  return cb::map({cb::number(0), cb::map({cb::number(1), cb::text("NVIDIA"), cb::number(2), cb::text(model),
                                          cb::number(3), cb::number(layer)})});
}

// Environments of the world: modes, parts of the driver, parts of the firmware.
inline CborValue mode_spt() { return arc_class({11, 1, 1}); }
inline CborValue mode_mpt() { return arc_class({11, 1, 2}); }
inline CborValue driver_part(std::uint8_t i) { return arc_class({11, 100, i}); }
inline CborValue firmware_part(std::uint8_t i) { return arc_class({10, 100, i}); }
inline CborValue signer_class() { return model_class("GR100 A01 GSP"); }

inline CborValue measurement(CborValue values) { return cb::map({cb::number(1), std::move(values)}); }
inline CborValue measurement(const std::string& key, CborValue values) {
  return cb::map({cb::number(0), cb::text(key), cb::number(1), std::move(values)});
}
inline CborValue triple(CborValue environment, std::vector<CborValue> measurements) {
  return cb::list({std::move(environment), cb::list(std::move(measurements))});
}
inline CborValue digest_values(const Bytes& digest) {
  return cb::map({cb::number(2), cb::list({cb::list({cb::number(7), cb::bytes(digest)})})});
}
inline CborValue block_values(std::uint8_t index) {
  return cb::map({cb::number(12), cb::map({cb::number(0), cb::list({cb::number(index)})})});
}
inline CborValue name_values(const std::string& name) { return cb::map({cb::number(11), cb::text(name)}); }
inline CborValue raw_values(Bytes value) { return cb::map({cb::number(4), cb::tag(560, cb::bytes(std::move(value)))}); }

// The content of a manifest. Change a member, then call signed().
struct WorldCorim {
  std::string id;
  std::vector<CborValue> references;
  std::vector<CborValue> dependencies;

  CborValue value() const {
    std::vector<CborValue> triples = {cb::number(0), cb::list(references)};
    if (!dependencies.empty()) {
      triples.push_back(cb::number(4));
      triples.push_back(cb::list(dependencies));
    }
    const CborValue comid = cb::map(
        {cb::number(1), cb::map({cb::number(0), cb::text(id + "-comid")}), cb::number(4), cb::map(std::move(triples))});
    return cb::tag(501, cb::map({cb::number(0), cb::text(id), cb::number(1),
                                 cb::list({cb::tag(506, cb::bytes(codec::write_cbor(comid)))})}));
  }
  std::string signed_text(const WorldChain& chain = rim_chain()) const {
    std::vector<Bytes> certificates;
    for (const Certificate& certificate : chain.certificates) certificates.push_back(certificate.der());
    const Bytes payload = codec::write_cbor(value());
    const Bytes signature = world_key(chain.labels[0]).sign(codec::cose_signed_bytes(certificates, payload));
    return std::string(as_text(codec::write_cose_sign1(certificates, payload, signature)));
  }
};

inline const std::string kRubinDriverId = "NV_GPU_DRIVER_GR100_620.54";
inline const std::string kRubinVbiosId = "GR100_081D_9900230000";

inline WorldCorim rubin_driver() {
  WorldCorim out;
  out.id = "example-driver-GR100_620.54";
  out.references = {
      triple(signer_class(), {measurement(cb::map({cb::number(1), cb::tag(552, cb::number(3)), cb::number(2),
                                                   cb::list({cb::list({cb::number(7), cb::bytes(world_fwid())})})}))}),
      triple(mode_spt(), {measurement("purpose", name_values("CC SPT"))}),
      triple(mode_mpt(), {measurement("purpose", name_values("CC MPT"))}),
      triple(driver_part(2), {measurement(digest_values(world_measurement(2)))}),
      // Two alternatives.
      triple(driver_part(3), {measurement(digest_values(Bytes(48, 0xee)))}),
      triple(driver_part(3), {measurement(digest_values(world_measurement(3)))}),
      triple(driver_part(4), {measurement(digest_values(Bytes(48, 0x99)))}),  // only in the other mode
  };
  const auto depends = [](CborValue mode, std::vector<CborValue> more) {
    std::vector<CborValue> trustees = {signer_class(), driver_part(2), driver_part(3), firmware_part(4),
                                       firmware_part(5)};
    for (CborValue& trustee : more) trustees.push_back(std::move(trustee));
    return cb::list({std::move(mode), cb::list(std::move(trustees))});
  };
  out.dependencies = {depends(mode_spt(), {driver_part(4)}), depends(mode_mpt(), {})};
  return out;
}

inline WorldCorim rubin_vbios() {
  WorldCorim out;
  out.id = "example-vbios-GR100_081D_9900230000";
  out.references = {
      triple(model_class("GR100 A01 FSP"), {measurement(digest_values(Bytes(48, 0x99)))}),  // another device
      triple(firmware_part(4), {measurement("FFMC", digest_values(world_measurement(4))),
                                measurement("FSVN", cb::map({cb::number(1), cb::tag(553, cb::number(2))}))}),
      triple(firmware_part(5), {measurement("JTGS", raw_values({0x02}))}),
  };
  return out;
}

// The table of contents: the mode, and the measurement that holds each part.
inline std::vector<CborValue> rubin_evidence() {
  return {triple(mode_mpt(), {measurement("purpose", name_values("CC MPT"))}),
          triple(driver_part(2), {measurement(block_values(2))}),
          triple(driver_part(3), {measurement(block_values(3))}),
          triple(driver_part(9), {measurement(block_values(9))}),  // no manifest knows it
          triple(firmware_part(4), {measurement("FFMC", block_values(4)),
                                    measurement("FSVN", cb::map({cb::number(1), cb::tag(552, cb::number(2))}))}),
          triple(firmware_part(5), {measurement("JTGS", raw_values({0x02}))})};
}

inline Bytes toc_bytes(const std::vector<CborValue>& triples,
                       const std::vector<std::string>& manifests = {kRubinVbiosId, kRubinDriverId},
                       const std::string& profile = "tag:nvidia.com,2026:evidence/spdm/profiles/gpu/1.0.0") {
  std::vector<CborValue> locators;
  for (const std::string& name : manifests) {
    locators.push_back(
        cb::map({cb::number(0), cb::tag(32, cb::text("https://rim.attestation.nvidia.com/v1/rim/" + name))}));
  }
  const CborValue evidence = cb::tag(571, cb::map({cb::number(0), cb::map({cb::number(0), cb::list(triples)})}));
  std::vector<CborValue> members = {cb::number(0), cb::list({evidence})};
  if (!locators.empty()) {
    members.push_back(cb::number(1));
    members.push_back(cb::list(locators));
  }
  members.push_back(cb::number(2));
  members.push_back(cb::tag(32, cb::text(profile)));
  return codec::write_cbor(cb::tag(570, cb::map(std::move(members))));
}

// A world of one Rubin GPU.
struct RubinWorld : GpuWorld {
  RubinWorld() {
    chains = {device_chain("GR100", "gpu 0")};
    payload.arch = "RUBIN";
    SpdmReport report = hopper_report(nonce, "gpu 0");
    const auto set = [&](OpaqueField field, Bytes value) {
      report.opaque[static_cast<std::uint16_t>(field)] = std::move(value);
    };
    set(OpaqueField::kDriverVersion, zero_terminated("620.54"));
    set(OpaqueField::kVbiosVersion, {0x00, 0x23, 0x00, 0x99, 0, 0, 0, 0});
    set(OpaqueField::kBoardId, {0x1d, 0x08, 0, 0});
    set(OpaqueField::kChipInfo, zero_terminated("GR100"));
    report.measurements.push_back({codec::kSpdmManifestIndex, toc_bytes(rubin_evidence()), codec::kSpdmManifestType});
    payload.evidence_list = {signed_device(report, chains[0], "RUBIN")};
    collateral.rims = {{kRubinDriverId, rubin_driver().signed_text()}, {kRubinVbiosId, rubin_vbios().signed_text()}};
    edit_ocsp([](const std::string&, crypto::OcspResponseSpec&) {});
  }
  // Replaces the table of contents.
  void edit_toc(Bytes toc) {
    edit_report(0, [&](SpdmReport& report) { report.measurements.back().value = std::move(toc); });
  }
  void edit_evidence(const std::function<void(std::vector<CborValue>&)>& change) {
    std::vector<CborValue> triples = rubin_evidence();
    change(triples);
    edit_toc(toc_bytes(triples));
  }
  void edit_driver(const std::function<void(WorldCorim&)>& change) {
    WorldCorim corim = rubin_driver();
    change(corim);
    collateral.rims[kRubinDriverId] = corim.signed_text();
  }
  void edit_vbios(const std::function<void(WorldCorim&)>& change) {
    WorldCorim corim = rubin_vbios();
    change(corim);
    collateral.rims[kRubinVbiosId] = corim.signed_text();
  }
};

}  // namespace cloister::verify::testing
