// Manifests in the CoRIM format and devices of our own that report as Rubin's GPUs do: they are accepted unchanged, and
// each change fails its own check for its own reason.
#include "verify/nvidia/corim_checks.h"

#include <gtest/gtest.h>

#include "verify/nvidia/testing/ids.h"
#include "verify/nvidia/testing/rubin_world.h"

namespace cloister::verify::testing {
namespace {

const std::string kDriver = "nvidia.gpu.0.rim.driver.", kVbios = "nvidia.gpu.0.rim.vbios.";

const RubinWorld& rubin() {
  static const RubinWorld world;
  return world;
}

void expect_fails(const GpuWorld& world, const std::string& id, std::string_view part) {
  const Verdict verdict = world.judge();
  EXPECT_EQ(failing(verdict), Ids{id}) << to_text(verdict, false);
  EXPECT_NE(said(verdict, id).find(part), std::string::npos) << said(verdict, id);
  EXPECT_EQ(verdict.outcome(), Outcome::kRejected);
}

void expect_skips(const GpuWorld& world, const Ids& expected, const std::string& id, std::string_view part) {
  const Verdict verdict = world.judge();
  EXPECT_EQ(failing(verdict), Ids{}) << to_text(verdict, false);
  EXPECT_EQ(missing(verdict), expected) << to_text(verdict, false);
  EXPECT_NE(said(verdict, id).find(part), std::string::npos) << said(verdict, id);
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
}
const Ids kBoth = {kDriver + "measurements", kVbios + "measurements"};

TEST(GpuCorim, AcceptedWhenEveryValueIsThere) {
  const Verdict verdict = rubin().judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.find(kDriver + "measurements")->actual, "4 environments");
  EXPECT_EQ(verdict.find(kDriver + "measurements")->detail, "in the mode CC MPT");
  EXPECT_EQ(verdict.find(kVbios + "measurements")->actual, "2 environments");
  EXPECT_EQ(verdict.find(kDriver + "version")->state, State::kPass);
  EXPECT_EQ(verdict.find(kVbios + "arch")->actual, "GR100");
  EXPECT_EQ(verdict.find(kDriver + "svn")->state, State::kNotApplicable);
  EXPECT_EQ(verdict.find("nvidia.gpu.0.rim.conflict")->state, State::kPass);
  EXPECT_EQ(verdict.facts["gpus"][0]["purpose"], "CC MPT");
  EXPECT_EQ(verdict.facts["gpus"][0]["mismatches"], Json::array());
}

// ---- values ----

TEST(GpuCorim, AMeasurementThatDiffersFailsTheManifestThatKnowsIt) {
  const auto changed = [](std::uint8_t index) {
    RubinWorld world = rubin();
    world.edit_report(0, [&](SpdmReport& report) { report.measurements[index - 1].value[0] ^= 1; });
    return world;
  };
  expect_fails(changed(2), kDriver + "measurements", "11.100.2: the digest of the measurement differs");
  expect_fails(changed(3), kDriver + "measurements", "and 1 more references do not fit either");
  expect_fails(changed(4), kVbios + "measurements", "10.100.4: the digest of measurement FFMC differs");
  EXPECT_EQ(changed(4).judge().facts["gpus"][0]["mismatches"][0]["source"], "vbios");
  // What no manifest knows is not checked, as with manifests in XML.
  EXPECT_EQ(changed(9).judge().outcome(), Outcome::kAccepted);
}

TEST(GpuCorim, FloorsRawValuesAndMasks) {
  RubinWorld world = rubin();
  world.edit_evidence([](std::vector<CborValue>& triples) {
    triples[4] = triple(firmware_part(4), {measurement("FFMC", block_values(4)),
                                           measurement("FSVN", cb::map({cb::number(1), cb::number(1)}))});
  });
  expect_fails(world, kVbios + "measurements", "the security version number of measurement FSVN differs");
  world = rubin();
  world.edit_evidence([](std::vector<CborValue>& triples) {
    triples[5] = triple(firmware_part(5), {measurement("JTGS", raw_values({0x42}))});
  });
  expect_fails(world, kVbios + "measurements", "the raw value of measurement JTGS differs");
  // Only the bits of the mask count.
  world.edit_vbios([](WorldCorim& corim) {
    corim.references[2] =
        triple(firmware_part(5),
               {measurement("JTGS",
                            cb::map({cb::number(4), cb::tag(563, cb::list({cb::bytes({0x02}), cb::bytes({0x0f})}))}))});
  });
  EXPECT_EQ(world.judge().outcome(), Outcome::kAccepted) << to_text(world.judge(), false);
}

TEST(GpuCorim, ThingsThatTheDeviceKeepsSilentAboutFail) {
  RubinWorld world = rubin();
  world.edit_evidence([](std::vector<CborValue>& triples) { triples.erase(triples.begin() + 2); });
  expect_fails(world, kDriver + "measurements", "11.100.3: the device says nothing of it");
  world.edit_evidence([](std::vector<CborValue>& triples) {
    triples[4] = triple(firmware_part(4), {measurement("FFMC", block_values(4))});
  });
  expect_fails(world, kVbios + "measurements", "measurement FSVN is not there");
  // Under another key it is another measurement.
  world.edit_evidence([](std::vector<CborValue>& triples) {
    triples[5] = triple(firmware_part(5), {measurement("JTAG", raw_values({0x02}))});
  });
  expect_fails(world, kVbios + "measurements", "measurement JTGS is not there");
}

TEST(GpuCorim, TheFirmwareThatSignsMustBeVouchedFor) {
  RubinWorld world = rubin();
  world.edit_driver([](WorldCorim& corim) {
    corim.references[0] = triple(signer_class(), {measurement(digest_values(Bytes(48, 0x99)))});
  });
  expect_fails(world, kDriver + "measurements", "NVIDIA GR100 A01 GSP, layer 0: the digest of the measurement differs");
  world.edit_driver([](WorldCorim& corim) {
    corim.references[0] = triple(signer_class(), {measurement(cb::map({cb::number(1), cb::tag(553, cb::number(4))}))});
  });
  expect_fails(world, kDriver + "measurements", "security version number");
  // A manifest about another layer, or another device, does not apply to it.
  for (const CborValue& other : {model_class("GR100 A01 GSP", 1), model_class("GR100 A01 XYZ")}) {
    world.edit_driver(
        [&](WorldCorim& corim) { corim.references[0] = triple(other, {measurement(digest_values(world_fwid()))}); });
    const Verdict verdict = world.judge();
    EXPECT_EQ(failing(verdict), kBoth) << to_text(verdict, false);
    EXPECT_NE(said(verdict, kDriver + "measurements").find("no manifest holds values of it"), std::string::npos);
    EXPECT_NE(said(verdict, kVbios + "measurements").find("no manifest vouches for the firmware"), std::string::npos);
  }
}

// ---- modes ----

TEST(GpuCorim, TheModeDecidesWhatIsCompared) {
  // The other mode needs a part that this device does not name.
  RubinWorld world = rubin();
  world.edit_evidence([](std::vector<CborValue>& triples) {
    triples[0] = triple(mode_spt(), {measurement("purpose", name_values("CC SPT"))});
  });
  expect_fails(world, kDriver + "measurements", "11.100.4: the device says nothing of it");
  // Gives a mode the name of another one.
  world.edit_evidence([](std::vector<CborValue>& triples) {
    triples[0] = triple(mode_mpt(), {measurement("purpose", name_values("CC SPT"))});
  });
  expect_fails(world, kDriver + "measurements", "the name of measurement purpose differs");
}

TEST(GpuCorim, AModeThatNobodyKnowsFails) {
  const auto fails_both = [](const std::function<void(std::vector<CborValue>&)>& change, std::string_view part) {
    RubinWorld world = rubin();
    world.edit_evidence(change);
    const Verdict verdict = world.judge();
    EXPECT_EQ(failing(verdict), kBoth) << to_text(verdict, false);
    for (const std::string& id : kBoth) EXPECT_NE(said(verdict, id).find(part), std::string::npos) << said(verdict, id);
  };
  fails_both(
      [](std::vector<CborValue>& t) {
        t[0] = triple(arc_class({11, 1, 3}), {measurement("purpose", name_values("CC MPT"))});
      },
      "no manifest knows this mode");
  fails_both([](std::vector<CborValue>& t) { t.erase(t.begin()); }, "does not say which mode");
  fails_both(
      [](std::vector<CborValue>& t) {
        t.push_back(triple(mode_spt(), {measurement("purpose", name_values("CC SPT"))}));
      },
      "in several modes");
  fails_both(
      [](std::vector<CborValue>& t) { t[0] = triple(mode_mpt(), {measurement("reason", name_values("CC MPT"))}); },
      "it names no purpose");
}

// A genuine manifest may also have modes in which nothing is confidential.
TEST(GpuCorim, APurposeThatIsNotKnownToBeConfidentialIsNotAccepted) {
  RubinWorld world = rubin();
  world.edit_evidence([](std::vector<CborValue>& triples) {
    triples[0] = triple(mode_mpt(), {measurement("purpose", name_values("DEFAULT"))});
  });
  world.edit_driver([](WorldCorim& corim) {
    corim.references[2] = triple(mode_mpt(), {measurement("purpose", name_values("DEFAULT"))});
  });
  expect_skips(world, kBoth, kDriver + "measurements", "not known to be one of confidential computing");
}

TEST(GpuCorim, WithoutModesEveryReferenceCounts) {
  RubinWorld world = rubin();
  world.edit_evidence([](std::vector<CborValue>& triples) { triples.erase(triples.begin()); });
  const auto without_modes = [](WorldCorim& corim) {
    corim.references.erase(corim.references.begin() + 6);
    corim.references.erase(corim.references.begin() + 1, corim.references.begin() + 3);
    corim.dependencies.clear();
  };
  world.edit_driver(without_modes);
  expect_fails(world, kVbios + "measurements", "NVIDIA GR100 A01 FSP, layer 0: the device says nothing of it");
  world.edit_vbios([](WorldCorim& corim) { corim.references.erase(corim.references.begin()); });
  const Verdict verdict = world.judge();
  EXPECT_EQ(failing(verdict), Ids{}) << to_text(verdict, false);
  // Now no class of the firmware's manifest names a model.
  EXPECT_EQ(missing(verdict), Ids{kVbios + "arch"});
}

// ---- what cannot be determined ----

TEST(GpuCorim, AReportThatDoesNotSayWhatItMeasuredIsUnsupported) {
  RubinWorld world = rubin();
  world.edit_report(0, [](SpdmReport& report) { report.measurements.pop_back(); });
  Ids expected = kBoth;
  expected.insert("nvidia.gpu.0.rim.conflict");
  expect_skips(world, expected, kDriver + "measurements", "does not say what its measurements are of");
  // An unknown profile, or an unknown kind of triples.
  world.edit_report(0, [](SpdmReport& report) {
    report.measurements.push_back({codec::kSpdmManifestIndex, toc_bytes(rubin_evidence(), {}, "tag:example.com,2026:x"),
                                   codec::kSpdmManifestType});
  });
  expect_skips(world, expected, kVbios + "measurements", "of the profile tag:example.com,2026:x");
}

TEST(GpuCorim, AFalseTableOfContentsFails) {
  const auto fails_both = [](const RubinWorld& world, std::string_view part) {
    const Verdict verdict = world.judge();
    EXPECT_EQ(failing(verdict), kBoth) << to_text(verdict, false);
    EXPECT_NE(said(verdict, kDriver + "measurements").find(part), std::string::npos)
        << said(verdict, kDriver + "measurements");
  };
  RubinWorld world = rubin();
  world.edit_toc({0xff});
  fails_both(world, "CBOR");
  world = rubin();
  world.edit_report(0, [](SpdmReport& report) { report.measurements.back().value_type = 1; });
  fails_both(world, "of type 1");
  const auto with = [&](CborValue changed) {
    RubinWorld out = rubin();
    out.edit_evidence([&](std::vector<CborValue>& triples) { triples.push_back(std::move(changed)); });
    return out;
  };
  fails_both(with(triple(driver_part(8), {measurement(block_values(77))})), "no measurement 77");
  fails_both(with(triple(driver_part(2), {measurement(block_values(5))})), "speaks twice of");
  // The device cannot make claims in the name of the certificate.
  fails_both(
      with(model_class("x").items.empty()
               ? CborValue()
               : triple(cb::map({cb::number(0), cb::map({cb::number(0), cb::tag(560, cb::bytes({0})), cb::number(1),
                                                         cb::text("NVIDIA"), cb::number(2), cb::text("GR100 A01 GSP"),
                                                         cb::number(3), cb::number(0), cb::number(4), cb::number(0)})}),
                        {measurement(digest_values(world_fwid()))})),
      "speaks twice of");
  const CborValue two = cb::map({cb::number(12), cb::map({cb::number(0), cb::list({cb::number(5), cb::number(6)})})});
  fails_both(with(triple(driver_part(8), {measurement(two)})), "a second value of one thing");
  fails_both(with(triple(driver_part(8), {measurement(cb::map({cb::number(1), cb::tag(553, cb::number(0))}))})),
             "a floor or a mask");
}

TEST(GpuCorim, AFurtherManifestThatTheDeviceNamesMustBeThere) {
  RubinWorld world = rubin();
  world.edit_toc(toc_bytes(rubin_evidence(), {kRubinVbiosId, kRubinDriverId, "NV_GPU_MORE_GR100_1"}));
  expect_skips(world, kBoth, kDriver + "measurements", "NV_GPU_MORE_GR100_1");
  world.edit_toc(toc_bytes(rubin_evidence(), {}));
  EXPECT_EQ(world.judge().outcome(), Outcome::kAccepted);
}

TEST(GpuCorim, WithoutTheOtherManifestNothingIsConcluded) {
  RubinWorld world = rubin();
  world.collateral.rims.erase(kRubinVbiosId);
  const Verdict verdict = world.judge();
  EXPECT_EQ(failing(verdict), Ids{}) << to_text(verdict, false);
  EXPECT_NE(said(verdict, kDriver + "measurements").find("other manifest is not at hand"), std::string::npos);
  EXPECT_EQ(verdict.find(kDriver + "measurements")->state, State::kSkipped);
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  world = rubin();
  world.collateral.rims.erase(kRubinDriverId);
  EXPECT_EQ(failing(world.judge()), Ids{}) << to_text(world.judge(), false);
  EXPECT_EQ(world.judge().outcome(), Outcome::kUndetermined);
}

// ---- manifests ----

TEST(GpuCorim, ReferencesThatAddUpAreUnsupported) {
  RubinWorld world = rubin();
  world.edit_vbios([](WorldCorim& corim) {
    corim.references.push_back(triple(firmware_part(5), {measurement("MORE", raw_values({0x01}))}));
  });
  expect_skips(world, {kVbios + "measurements"}, kVbios + "measurements", "do not exclude each other");
}

TEST(GpuCorim, NoEnvironmentIsClaimedByBoth) {
  RubinWorld world = rubin();
  world.edit_vbios([](WorldCorim& corim) {
    corim.references.push_back(triple(driver_part(2), {measurement(digest_values(world_measurement(2)))}));
  });
  expect_fails(world, "nvidia.gpu.0.rim.conflict", "11.100.2");
}

TEST(GpuCorim, NothingAboutThisDevice) {
  RubinWorld world = rubin();
  world.edit_driver([](WorldCorim& corim) {
    const auto without_firmware = [](const CborValue& mode) {
      return cb::list({mode, cb::list({signer_class(), driver_part(2)})});
    };
    corim.dependencies = {without_firmware(mode_spt()), without_firmware(mode_mpt())};
  });
  expect_fails(world, kVbios + "measurements", "nothing in the manifest is about this device");
}

TEST(GpuCorim, VersionAndArchitecture) {
  RubinWorld world = rubin();
  for (const std::string other : {"example-driver-GR100_620.53", "GR100_620.54-old", "GR100_1620.54"}) {
    world.edit_driver([&](WorldCorim& corim) { corim.id = other; });
    expect_fails(world, kDriver + "version", "GR100_620.54|" + other);
  }
  for (const std::string good : {"GR100_620.54", "nv_gpu_driver_gr100_620.54"}) {
    world.edit_driver([&](WorldCorim& corim) { corim.id = good; });
    EXPECT_EQ(world.judge().outcome(), Outcome::kAccepted) << good;
  }
  for (const std::string silent : {"a manifest", "XGR100_620.54"}) {
    world.edit_driver([&](WorldCorim& corim) { corim.id = silent; });
    expect_skips(world, {kDriver + "version"}, kDriver + "version", "does not say which version");
  }
  world = rubin();
  world.edit_vbios([](WorldCorim& corim) {
    corim.references[0] = triple(model_class("GB100 A01 FSP"), {measurement(digest_values(Bytes(48, 0x99)))});
  });
  expect_fails(world, kVbios + "arch", "GR|GB100");
}

TEST(GpuCorim, BesideAManifestInXmlNothingIsConcluded) {
  RubinWorld world = rubin();
  WorldRim xml = vbios_rim();
  xml.product = "GR100";
  xml.version = "99.00.23.00.00";
  world.edit_rim(kRubinVbiosId, xml);
  expect_skips(world, {kDriver + "measurements", "nvidia.gpu.0.rim.conflict"}, kDriver + "measurements", "not at hand");
}

}  // namespace
}  // namespace cloister::verify::testing
