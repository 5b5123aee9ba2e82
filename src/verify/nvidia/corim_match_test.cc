#include "verify/nvidia/corim_match.h"

#include <gtest/gtest.h>

#include "verify/nvidia/corim_appraisal.h"
#include "verify/nvidia/testing/rubin_world.h"

namespace cloister::verify::testing {
namespace {

using codec::ComidValues;

TEST(CorimMatch, EnvironmentsArePatterns) {
  const CborValue whole =
      cb::map({cb::number(0), cb::map({cb::number(0), cb::tag(560, cb::bytes({0})), cb::number(1), cb::text("NVIDIA"),
                                       cb::number(2), cb::text("GR100"), cb::number(3), cb::number(0)})});
  const CborValue part =
      cb::map({cb::number(0), cb::map({cb::number(2), cb::text("GR100"), cb::number(1), cb::text("NVIDIA")})});
  EXPECT_TRUE(matches_environment(part, whole));
  EXPECT_FALSE(matches_environment(whole, part));
  EXPECT_FALSE(same_environment(part, whole));
  const CborValue turned =
      cb::map({cb::number(0), cb::map({cb::number(1), cb::text("NVIDIA"), cb::number(2), cb::text("GR100")})});
  EXPECT_TRUE(same_environment(part, turned));
  EXPECT_FALSE(matches_environment(model_class("GR100", 1), model_class("GR100", 0)));
  // An instance that only one of them names.
  CborValue instance = turned;
  instance.items.push_back(cb::number(1));
  instance.items.push_back(cb::tag(550, cb::bytes(Bytes(8, 1))));
  EXPECT_TRUE(matches_environment(turned, instance));
  EXPECT_FALSE(matches_environment(instance, turned));
}

TEST(CorimMatch, Text) {
  EXPECT_EQ(environment_text(mode_mpt()), "OID 1.3.6.1.4.1.5703.1300.1.1.11.1.11.1.2");
  EXPECT_EQ(environment_text(model_class("GR100 A01 GSP")), "NVIDIA GR100 A01 GSP, layer 0");
  EXPECT_TRUE(is_root_environment(mode_mpt()));
  EXPECT_FALSE(is_root_environment(driver_part(1)));
  EXPECT_FALSE(is_root_environment(model_class("GR100")));
  // The arc of another vendor, and the arc itself.
  EXPECT_FALSE(is_root_environment(
      cb::map({cb::number(0), cb::map({cb::number(0), cb::tag(111, cb::bytes({0x2b, 6, 1, 1, 2}))})})));
  EXPECT_FALSE(is_root_environment(cb::map(
      {cb::number(0), cb::map({cb::number(0), cb::tag(111, cb::bytes({0x2b, 6, 1, 4, 1, 0xac, 0x47, 0x8a, 0x14}))})})));
}

ComidValues values(const std::function<void(ComidValues&)>& set) {
  ComidValues out;
  set(out);
  return out;
}

TEST(CorimMatch, EachKindOfValue) {
  const ComidValues none;
  const auto expect = [&](const std::string& name, const ComidValues& reference, const ComidValues& good,
                          const ComidValues& bad) {
    EXPECT_EQ(difference(reference, good), "") << name;
    EXPECT_EQ(difference(reference, bad), name);
    EXPECT_EQ(difference(reference, none), name);
    EXPECT_EQ(difference(none, bad), "");
  };
  expect("version", values([](auto& v) {
           v.version = "1";
           v.version_scheme = 2;
         }),
         values([](auto& v) { v.version = "1"; }), values([](auto& v) { v.version = "2"; }));
  expect("version", values([](auto& v) {
           v.version = "1";
           v.version_scheme = 2;
         }),
         values([](auto& v) {
           v.version = "1";
           v.version_scheme = 2;
         }),
         values([](auto& v) {
           v.version = "1";
           v.version_scheme = 3;
         }));
  expect("security version number", values([](auto& v) {
           v.svn = {3, false};
         }),
         values([](auto& v) {
           v.svn = {3, false};
         }),
         values([](auto& v) {
           v.svn = {4, false};
         }));
  expect("security version number", values([](auto& v) {
           v.svn = {3, true};
         }),
         values([](auto& v) {
           v.svn = {4, false};
         }),
         values([](auto& v) {
           v.svn = {2, false};
         }));
  expect("flags", values([](auto& v) {
           v.flags = {{3, false}};
         }),
         values([](auto& v) {
           v.flags = {{3, false}, {1, true}};
         }),
         values([](auto& v) {
           v.flags = {{3, true}};
         }));
  expect("raw value", values([](auto& v) {
           v.raw = {{1, 2}, {}};
         }),
         values([](auto& v) {
           v.raw = {{1, 2}, {}};
         }),
         values([](auto& v) {
           v.raw = {{1, 2, 0}, {}};
         }));
  expect("raw value", values([](auto& v) {
           v.raw = {{1, 2}, {0, 3}};
         }),
         values([](auto& v) {
           v.raw = {{9, 6}, {}};
         }),
         values([](auto& v) {
           v.raw = {{1, 1}, {}};
         }));
  expect("name", values([](auto& v) { v.name = "a"; }), values([](auto& v) { v.name = "a"; }),
         values([](auto& v) { v.name = "b"; }));
  expect("number", values([](auto& v) {
           v.range = {2, 4};
         }),
         values([](auto& v) {
           v.range = {4, 4};
         }),
         values([](auto& v) {
           v.range = {5, 5};
         }));
  expect("number", values([](auto& v) {
           v.range = {2, std::nullopt};
         }),
         values([](auto& v) {
           v.range = {9, 9};
         }),
         values([](auto& v) {
           v.range = {2, 3};
         }));  // a range is no single number
}

TEST(CorimMatch, DigestsOfSeveralAlgorithms) {
  const auto digests = [](std::vector<codec::ComidDigest> list) { return values([&](auto& v) { v.digests = list; }); };
  const codec::ComidDigest a{"sha-384", Bytes(48, 1)}, a_other{"sha-384", Bytes(48, 2)}, b{"sha-512", Bytes(64, 1)};
  EXPECT_EQ(difference(digests({a}), digests({a})), "");
  EXPECT_EQ(difference(digests({a, b}), digests({a})), "");
  EXPECT_EQ(difference(digests({a}), digests({b, a})), "");
  EXPECT_EQ(difference(digests({a}), digests({a_other})), "digest");
  EXPECT_EQ(difference(digests({a, b}), digests({a_other, b})), "digest");
  EXPECT_EQ(difference(digests({a}), digests({b})), "digest");
}

}  // namespace
}  // namespace cloister::verify::testing
