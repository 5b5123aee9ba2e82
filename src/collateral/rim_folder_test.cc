#include "collateral/rim_folder.h"

#include "base/encoding.h"
#include "base/file.h"
#include "collateral/collateral_test_util.h"

namespace cloister::collateral {
namespace {

constexpr const char* kDriver =
    "<SoftwareIdentity name=\"GH100\"><Meta colloquialVersion=\"550.144.03\" product=\"GH100\"/></SoftwareIdentity>";

TEST(RimIdOf, NamesByFileOrByContent) {
  EXPECT_EQ(rim_id_of("NV_GPU_VBIOS_1010_0200_882_96005E0001", ""), "NV_GPU_VBIOS_1010_0200_882_96005E0001");
  EXPECT_EQ(rim_id_of("1010_0200_882_96005E0001_PROD", ""), "NV_GPU_VBIOS_1010_0200_882_96005E0001");
  EXPECT_EQ(rim_id_of("driver", kDriver), "NV_GPU_DRIVER_GH100_550.144.03");
  EXPECT_EQ(rim_id_of("driver", "<Meta colloquialVersion=\"575.32\" product=\"GB100\"/>"),
            "NV_GPU_CC_DRIVER_GB100_575.32");
  // The content of a VBIOS manifest cannot name it, since the board is not in it.
  EXPECT_EQ(rim_id_of("vbios", "<Meta colloquialVersion=\"96.00.5E.00.01\" product=\"GH100\"/>"), "");
  EXPECT_EQ(rim_id_of("driver", "<Meta colloquialVersion=\"1.2\" product=\"../../x\"/>"), "");
  EXPECT_EQ(rim_id_of("driver", "<Meta colloquialVersion=\"1.2"), "");
  EXPECT_EQ(rim_id_of("NV_ bad", ""), "");
  EXPECT_EQ(rim_id_of("", ""), "");
}

TEST(RimFolder, ReadsEveryFormAndSaysWhatItCannot) {
  const testing::TemporaryFolder folder;
  const auto write = [&](const char* name, std::string_view text) {
    ASSERT_TRUE(write_file_atomically(folder.path() / name, text, 0600));
  };
  write("NV_GPU_DRIVER_GH100_550.144.03.xml", kDriver);
  write("1010_0200_882_96005E0001_PROD.swidtag", "<vbios/>");
  write("zz_copy_of_driver.xml", kDriver);  // the same content: no problem
  write("zz_other_driver.xml", std::string(kDriver) + "<!-- -->");
  write("answer.json", "{\"id\":\"NV_X_1\",\"rim\":\"" + to_base64(as_bytes("<x/>")) + "\"}");
  write("broken.json", "{");
  write("unknown.xml", "<x/>");
  write("NV_GPU_CC_DRIVER_GB100_590.12.corim", "\xd9\x01\xf5");
  write("huge.xml", std::string(3u << 20, ' '));
  write("README.md", "not a manifest");
  const auto got = read_rim_folder(folder.path());
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->rims, (std::map<std::string, std::string>{{"NV_GPU_CC_DRIVER_GB100_590.12", "\xd9\x01\xf5"},
                                                           {"NV_GPU_DRIVER_GH100_550.144.03", kDriver},
                                                           {"NV_GPU_VBIOS_1010_0200_882_96005E0001", "<vbios/>"},
                                                           {"NV_X_1", "<x/>"}}));
  EXPECT_EQ(got->problems.size(), 4u);
  EXPECT_FALSE(read_rim_folder(folder.path() / "none"));
}

TEST(RimFolder, NamesNvidiasSamples) {
  const auto got = read_rim_folder(cloister::testing::vector_path("nvidia/rims"));
  ASSERT_TRUE(got) << got.error().to_string();
  for (const char* id : {"NV_GPU_DRIVER_GH100_550.144.03", "NV_GPU_VBIOS_1010_0200_882_96005E0001",
                         "NV_GPU_VBIOS_g520_0200_885_9600740001", "NV_SWITCH_BIOS_5612_0002_890_9610550001"}) {
    EXPECT_TRUE(got->rims.contains(id)) << id;
  }
}

}  // namespace
}  // namespace cloister::collateral
