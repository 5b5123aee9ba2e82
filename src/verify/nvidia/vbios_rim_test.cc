// The manifest of the firmware is verified like that of the driver.
#include <gtest/gtest.h>

#include "verify/nvidia/testing/gpu_world.h"
#include "verify/nvidia/testing/ids.h"

namespace cloister::verify::testing {
namespace {

TEST(VbiosRim, OfAnotherArchitectureOrVersion) {
  GpuWorld world;
  WorldRim rim = vbios_rim();
  rim.product = "GB100";
  world.edit_rim(kVbiosId, rim);
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.gpu.0.rim.vbios.arch"});
  rim = vbios_rim();
  rim.version = "96.00.A5.00.02";
  world.edit_rim(kVbiosId, rim);
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.gpu.0.rim.vbios.version"});
}

TEST(VbiosRim, UnderAnotherRootOrASignerWhoseTimeIsOver) {
  GpuWorld world;
  world.collateral.rims[kVbiosId] = signed_rim(vbios_rim(), rim_chain(kWorldTime - 1));
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.gpu.0.rim.vbios.chain"});
  // Signed correctly, by somebody whom a device's authorities certify.
  WorldChain device = device_chain("GH100", "gpu 0");
  device.certificates.erase(device.certificates.begin());
  device.labels.erase(device.labels.begin());
  world.collateral.rims[kVbiosId] = signed_rim(vbios_rim(), device);
  EXPECT_TRUE(failing(world.judge()).contains("nvidia.gpu.0.rim.vbios.chain"));
}

// Field 37 of the opaque data holds the FSP's security version number.
TEST(VbiosRim, AFloorUnderASecurityVersionNumber) {
  const auto world_with = [](const std::string& least) {
    GpuWorld world;
    WorldRim rim = vbios_rim();
    rim.floors =
        "<Resource type=\"Measurement\" index=\"4133\" active=\"True\" name=\"FSP_UCODE_MIN_SVN\" o:minSvn=\"" + least +
        "\" o:includeInResult=\"True\"/>";
    world.edit_rim(kVbiosId, rim);
    world.edit_report(0, [](SpdmReport& report) {
      report.opaque_version = codec::OpaqueVersion{2, 0, 0};
      report.opaque[37] = {5, 0};
      report.opaque_value_types[37] = 0x87;
    });
    return world;
  };
  const Verdict met = world_with("5").judge();
  EXPECT_EQ(met.outcome(), Outcome::kAccepted) << to_text(met, false);
  EXPECT_EQ(met.find("nvidia.gpu.0.rim.vbios.svn")->state, State::kPass);
  EXPECT_EQ(met.find("nvidia.gpu.0.rim.driver.svn")->state, State::kNotApplicable);
  EXPECT_EQ(failing(world_with("6").judge()), Ids{"nvidia.gpu.0.rim.vbios.svn"});
}

}  // namespace
}  // namespace cloister::verify::testing
