#include "codec/rim.h"

#include <gtest/gtest.h>

#include <set>

#include "base/testing/vectors.h"

namespace cloister::codec {
namespace {

using crypto::XmlElement;

constexpr const char* kSwid = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
constexpr const char* kSha384 = "http://www.w3.org/2001/04/xmlenc#sha384";

XmlElement resource(const std::string& index, std::vector<std::string> hashes = {std::string(96, 'a')}) {
  XmlElement out{"Resource", kSwid, {}, {}};
  out.attributes = {{"type", "", "Measurement"},
                    {"index", "", index},
                    {"active", "", "True"},
                    {"size", "", "48"},
                    {"alternatives", "", std::to_string(hashes.size())},
                    {"name", "", "x"}};
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    out.attributes.push_back({"Hash" + std::to_string(i), kSha384, hashes[i]});
  }
  return out;
}

XmlElement small_rim() {
  XmlElement meta{
      "Meta", kSwid, {{"colloquialVersion", "", "550.1"}, {"product", "", "GH100"}, {"edition", "", "GPU"}}, {}};
  XmlElement payload{
      "Payload", kSwid, {}, {resource("0"), resource("9", {std::string(96, 'B'), std::string(96, '0')})}};
  return {"SoftwareIdentity", kSwid, {{"tagId", "", "tag"}}, {{"Entity", kSwid, {}, {}}, meta, payload}};
}

void set(XmlElement& element, const std::string& name, const std::string& value) {
  for (crypto::XmlAttribute& attribute : element.attributes) {
    if (attribute.name == name) attribute.value = value;
  }
}

void drop(XmlElement& element, const std::string& name) {
  std::erase_if(element.attributes, [&](const crypto::XmlAttribute& attribute) { return attribute.name == name; });
}

void expect_refused(const XmlElement& root, std::string_view part) {
  const auto rim = read_rim(root);
  ASSERT_FALSE(rim) << part;
  EXPECT_EQ(rim.error().code, ErrorCode::kBadRim);
  EXPECT_NE(rim.error().message.find(part), std::string::npos) << rim.error().message << " (expected: " << part << ")";
}

XmlElement floor_resource(const std::string& index, const std::string& least, const std::string& name = "SVN") {
  XmlElement out{"Resource", kSwid, {}, {}};
  out.attributes = {{"type", "", "Measurement"},
                    {"index", "", index},
                    {"active", "", "True"},
                    {"name", "", name},
                    {"minSvn", "https://docs.nvidia.com/attestation/specs/latest/opaque-data.html", least}};
  return out;
}

TEST(Rim, FloorsUnderSecurityVersionNumbers) {
  const auto with = [](std::vector<XmlElement> floors) {
    XmlElement root = small_rim();
    for (XmlElement& floor : floors) root.children[2].children.push_back(std::move(floor));
    return root;
  };
  XmlElement inactive = floor_resource("4098", "9", "OFF");
  set(inactive, "active", "False");
  const auto rim = read_rim(
      with({floor_resource("4096", "0", "A"), floor_resource("69631", "18446744073709551615", "B"), inactive}));
  ASSERT_TRUE(rim) << rim.error().message;
  ASSERT_EQ(rim->svn_floors.size(), 2u);
  EXPECT_EQ(rim->svn_floors[0].field, 0);
  EXPECT_EQ(rim->svn_floors[1].field, 0xffff);
  EXPECT_EQ(rim->svn_floors[1].least, 18446744073709551615u);
  EXPECT_EQ(rim->svn_floors[1].name, "B");
  EXPECT_EQ(rim->entries.size(), 2u);
  expect_refused(with({floor_resource("69632", "1")}), "index");
  expect_refused(with({floor_resource("255", "1")}), "index");
  expect_refused(with({floor_resource("4095", "1")}), "index");
  for (const char* least : {"", "-1", "1.0", "0x1", " 1", "18446744073709551616"}) {
    expect_refused(with({floor_resource("4096", least)}), "minSvn");
  }
  expect_refused(with({floor_resource("4096", "1", "")}), "name");
  expect_refused(with({floor_resource("4096", "1", "a b")}), "name");
  expect_refused(with({floor_resource("4096", "1"), floor_resource("4096", "2", "X")}), "occurs twice");
  expect_refused(with({floor_resource("4096", "1"), floor_resource("4097", "2")}), "two floors");
  XmlElement hashed = floor_resource("4096", "1");
  hashed.attributes.push_back({"Hash0", kSha384, std::string(96, 'a')});
  expect_refused(with({hashed}), "a hash next to minSvn");
  // Without the name space it is no minimum.
  XmlElement plain = floor_resource("4096", "1");
  for (crypto::XmlAttribute& attribute : plain.attributes) {
    if (attribute.name == "minSvn") attribute.namespace_uri.clear();
  }
  expect_refused(with({plain}), "no minSvn");
}

TEST(Rim, Fields) {
  const auto rim = read_rim(small_rim());
  ASSERT_TRUE(rim) << rim.error().message;
  EXPECT_EQ(rim->tag_id, "tag");
  EXPECT_EQ(rim->colloquial_version, "550.1");
  EXPECT_EQ(rim->product, "GH100");
  EXPECT_EQ(rim->edition, "GPU");
  ASSERT_EQ(rim->entries.size(), 2u);
  EXPECT_EQ(rim->entries[1].index, 9u);
  EXPECT_TRUE(rim->entries[1].active);
  EXPECT_EQ(rim->entries[1].size, 48u);
  EXPECT_EQ(rim->entries[1].hashes, (std::vector<Bytes>{Bytes(48, 0xbb), Bytes(48, 0)}));
}

TEST(Rim, ActiveIsTheDefault) {
  XmlElement root = small_rim();
  XmlElement& entry = root.children[2].children[0];
  drop(entry, "active");
  EXPECT_TRUE(read_rim(root)->entries[0].active);
  entry.attributes.push_back({"active", "", "False"});
  EXPECT_FALSE(read_rim(root)->entries[0].active);
  set(entry, "active", "true");
  expect_refused(root, "True or False");
}

TEST(Rim, OtherFormsAreRefused) {
  XmlElement root = small_rim();
  root.name = "Other";
  expect_refused(root, "SoftwareIdentity");
  root = small_rim();
  root.namespace_uri = "urn:x";
  expect_refused(root, "SoftwareIdentity");
  for (const std::size_t child : {1u, 2u}) {
    root = small_rim();
    root.children.push_back(root.children[child]);
    expect_refused(root, "more than one");
    root = small_rim();
    root.children[child].namespace_uri = "urn:x";
    expect_refused(root, "no ");
  }
  for (const char* name : {"colloquialVersion", "product", "edition"}) {
    root = small_rim();
    drop(root.children[1], name);
    expect_refused(root, name);
  }
  root = small_rim();
  root.children[2].children[1].name = "File";
  expect_refused(root, "something else than Resources");
}

TEST(Rim, EntriesAreStrict) {
  const auto with = [](const std::string& name, const std::string& value) {
    XmlElement root = small_rim();
    set(root.children[2].children[0], name, value);
    return root;
  };
  expect_refused(with("type", "Other"), "type");
  for (const char* index : {"", "-1", "255", "1x", " 1", "99999999999"}) expect_refused(with("index", index), "index");
  EXPECT_TRUE(read_rim(with("index", "254")));
  expect_refused(with("index", "9"), "occurs twice");
  for (const char* size : {"0", "47", "1025"}) expect_refused(with("size", size), "size");
  expect_refused(with("alternatives", "2"), "no Hash1");
  expect_refused(with("alternatives", "0"), "alternatives");
  expect_refused(with("alternatives", "65"), "alternatives");
  expect_refused(with("Hash0", "zz"), "Hash0");
  expect_refused(with("Hash0", std::string(94, 'a')), "Hash0");
  XmlElement root = small_rim();
  set(root.children[2].children[1], "alternatives", "1");
  expect_refused(root, "exactly 1 hashes");
  // A hash of another namespace, which no entry counts.
  root = small_rim();
  root.children[2].children[0].attributes.push_back({"Hash0", "urn:x", std::string(96, 'b')});
  expect_refused(root, "exactly 1 hashes");
}

TEST(Rim, CorimIsTold) {
  EXPECT_TRUE(is_corim("\xd9\x01\xf5"));
  EXPECT_TRUE(is_corim("\xd2\x84"));
  EXPECT_FALSE(is_corim("<a/>"));
  EXPECT_FALSE(is_corim(""));
}

std::set<std::uint32_t> active_indices(const Rim& rim) {
  std::set<std::uint32_t> out;
  for (const RimEntry& entry : rim.entries) {
    if (entry.active) out.insert(entry.index);
  }
  return out;
}

TEST(Rim, GenuineOnes) {
  struct Case {
    const char* file;
    const char* version;
    const char* product;
    std::size_t entries, active;
  };
  const std::vector<Case> cases = {{"1010_0200_882_96005E0001_PROD.swidtag", "96.00.5E.00.01", "GH100", 64, 12},
                                   {"g520_0228_889_96006D000A_PROD.swidtag", "96.00.6D.00.0A", "GH100", 64, 12},
                                   {"NV_GPU_DRIVER_GH100_550.144.03.xml", "550.144.03", "GH100", 64, 21},
                                   {"NV_SWITCH_BIOS_5612_0002_890_9610550001.xml", "96.10.55.00.01", "LS10", 64, 31}};
  for (const Case& test :
       testing::those_there(cases, [](const Case& one) { return std::string("nvidia/rims/") + one.file; })) {
    const auto document = crypto::SignedXml::parse(testing::vector_text(std::string("nvidia/rims/") + test.file));
    ASSERT_TRUE(document) << test.file << ": " << document.error().message;
    const auto root = document->verify();
    ASSERT_TRUE(root) << test.file << ": " << root.error().message;
    const auto rim = read_rim(*root);
    ASSERT_TRUE(rim) << test.file << ": " << rim.error().message;
    EXPECT_EQ(rim->colloquial_version, test.version);
    EXPECT_EQ(rim->product, test.product);
    EXPECT_EQ(rim->entries.size(), test.entries) << test.file;
    EXPECT_EQ(active_indices(*rim).size(), test.active) << test.file;
  }
}

}  // namespace
}  // namespace cloister::codec
