#include "verify/nvidia/device_identity.h"

#include <gtest/gtest.h>

#include "verify/nvidia/measurements.h"
#include "verify/nvidia/rim_ids.h"
#include "verify/nvidia/testing/gpu_world.h"

namespace cloister::verify::testing {
namespace {

using Strings = std::vector<std::string>;

SpdmReport report() { return hopper_report({}, "x"); }

void set(SpdmReport& changed, OpaqueField field, Bytes value) {
  changed.opaque[static_cast<std::uint16_t>(field)] = std::move(value);
}

TEST(Versions, CompareByNumbers) {
  EXPECT_EQ(compare_versions("550.90.07", "550.9.7", 10), std::strong_ordering::greater);
  EXPECT_EQ(compare_versions("550.90.07", "550.90.7.0", 10), std::strong_ordering::equal);
  EXPECT_EQ(compare_versions("96.00.9F", "96.00.A0", 16), std::strong_ordering::less);
  for (const char* text : {"", ".", "1.", "1..2", "x", "1 ", "-1", "1.2.3.4.5.6.7.8.9", "99999999999999999999"}) {
    EXPECT_EQ(compare_versions(text, "1", 10), std::nullopt) << text;
  }
}

TEST(DeviceIdentity, ArchitectureAndUeid) {
  EXPECT_EQ(device_arch(device_chain("GH100", "a").certificates[1]), "HOPPER");
  EXPECT_EQ(device_arch(device_chain("GB100", "a").certificates[1]), "BLACKWELL");
  EXPECT_EQ(device_arch(device_chain("LS_10", "a").certificates[1]), "LS10");
  EXPECT_EQ(device_arch(device_chain("AD102", "a").certificates[1]), "");
  EXPECT_EQ(ueid({}), "");
  // 0x0100 = 256.
  crypto::CertificateSpec spec;
  spec.subject_common_name = spec.issuer_common_name = "x";
  spec.not_after = 1;
  spec.serial = {1, 0};
  EXPECT_EQ(ueid({*crypto::issue_certificate(spec, world_key("a"), world_key("a"))}), "256");
}

TEST(RimIds, FromTheReport) {
  const auto hopper = device_chain("GH100", "a").certificates;
  EXPECT_EQ(required_rim_ids(report(), hopper), (Strings{kDriverId, kVbiosId}));
  const auto blackwell = device_chain("GB100", "a").certificates;
  EXPECT_EQ(required_rim_ids(report(), blackwell)[0], "NV_GPU_CC_DRIVER_GB100_570.10");
  SpdmReport chip = report();
  set(chip, OpaqueField::kChipInfo, zero_terminated("GB20B"));
  EXPECT_EQ(required_rim_ids(chip, blackwell)[0], "NV_GPU_CC_DRIVER_GB20B_570.10");
  EXPECT_EQ(required_rim_ids(chip, hopper)[0], kDriverId);
  SpdmReport nvswitch;
  set(nvswitch, OpaqueField::kVbiosVersion, to_bytes(as_bytes("96.10.55.00.01")));
  EXPECT_EQ(required_rim_ids(nvswitch, device_chain("LS_10", "a").certificates),
            (Strings{"NV_SWITCH_BIOS_5612_0002_890_9610550001"}));
}

TEST(RimIds, NothingButPlainNamesGetsIntoAUrl) {
  const auto hopper = device_chain("GH100", "a").certificates;
  for (const OpaqueField field :
       {OpaqueField::kDriverVersion, OpaqueField::kProject, OpaqueField::kProjectSku, OpaqueField::kChipSku}) {
    for (const std::string& text :
         {std::string("../x"), std::string("a/b"), std::string("a?b"), std::string("a%2f"), std::string("a b"),
          std::string("a\0b", 3), std::string("\xc3\xa9"), std::string(), std::string(65, 'a')}) {
      SpdmReport changed = report();
      set(changed, field, to_bytes(as_bytes(text)));
      EXPECT_FALSE(rim_ids(changed, hopper)) << text;
      EXPECT_TRUE(required_rim_ids(changed, hopper).empty());
    }
  }
  EXPECT_TRUE(required_rim_ids(report(), device_chain("AD102", "a").certificates).empty());
  EXPECT_TRUE(required_rim_ids(report(), {}).empty());
}

codec::Rim rim_of(std::vector<codec::RimEntry> entries) {
  codec::Rim rim;
  rim.entries = std::move(entries);
  return rim;
}

TEST(Measurements, IndexOfTheManifestIsOneLess) {
  const codec::Rim rim = rim_of({{9, true, 48, {world_measurement(10)}}, {10, true, 48, {world_measurement(10)}}});
  EXPECT_EQ(compare_measurements(rim, report()).mismatching, (std::vector<std::uint32_t>{10}));
}

TEST(Measurements, AlternativesSizeAndMissingBlocks) {
  const auto mismatching = [](codec::RimEntry entry, const SpdmReport& measured = report()) {
    return compare_measurements(rim_of({std::move(entry)}), measured).mismatching.size();
  };
  EXPECT_EQ(mismatching({3, true, 48, {Bytes(48, 0), world_measurement(4)}}), 0u);
  EXPECT_EQ(mismatching({3, true, 48, {Bytes(48, 0), Bytes(48, 1)}}), 1u);
  EXPECT_EQ(mismatching({3, false, 48, {Bytes(48, 0)}}), 0u);
  EXPECT_EQ(mismatching({64, true, 48, {Bytes(48, 0)}}), 1u);  // active without a block
  EXPECT_EQ(mismatching({3, true, 32, {Bytes(32, 4)}}), 1u);
  EXPECT_EQ(mismatching({3, true, 32, {world_measurement(4)}}), 1u);
}

TEST(Measurements, Index35IsLeftOutOnlyWhenNvdec0IsDisabled) {
  const codec::Rim rim = rim_of({{35, true, 48, {Bytes(48, 0)}}});
  for (const auto& [status, left_out] : std::vector<std::pair<Bytes, bool>>{
           {{0x55}, true}, {{0xaa}, false}, {{0x55, 0}, false}, {{}, false}, {{0}, false}}) {
    SpdmReport measured = report();
    set(measured, OpaqueField::kNvdec0Status, status);
    const RimComparison result = compare_measurements(rim, measured);
    EXPECT_EQ(result.mismatching.empty(), left_out);
    EXPECT_EQ(result.active, 1u);
  }
  SpdmReport without = report();
  without.opaque.erase(static_cast<std::uint16_t>(OpaqueField::kNvdec0Status));
  EXPECT_FALSE(compare_measurements(rim, without).mismatching.empty());
}

TEST(Measurements, ConflictsAreIndicesActiveInBoth) {
  const codec::Rim driver = rim_of({{1, true, 48, {}}, {2, true, 48, {}}, {3, false, 48, {}}});
  const codec::Rim vbios = rim_of({{2, true, 48, {}}, {3, true, 48, {}}, {1, false, 48, {}}});
  EXPECT_EQ(conflicting_indices(driver, vbios), std::set<std::uint32_t>{2});
}

}  // namespace
}  // namespace cloister::verify::testing
