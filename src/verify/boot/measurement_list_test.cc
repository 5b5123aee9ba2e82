#include "verify/boot/measurement_list.h"

#include <gtest/gtest.h>

#include "base/result_testing.h"
#include "crypto/ecdsa.h"
#include "crypto/ed25519.h"
#include "verify/boot/boot_sample_testing.h"

namespace cloister::verify {
namespace {

using namespace testing;

Json entry(const codec::TdReport& report, const std::string& name = "image 1, 8 CPUs") {
  return {{"name", name},
          {"mr_td", to_hex(report.mr_td)},
          {"rtmr0", to_hex(report.rtmr[0])},
          {"rtmr1", to_hex(report.rtmr[1])},
          {"rtmr2", to_hex(report.rtmr[2])}};
}

Json list_of(const Json& entries) {
  return {{"format", "cloister.measurements.v1"},
          {"issued", "2026-05-01T00:00:00Z"},
          {"expires", "2026-07-01T00:00:00Z"},
          {"measurements", entries}};
}

const crypto::Ed25519Key& signer() {
  static const crypto::Ed25519Key key = *crypto::Ed25519Key::from_seed(Bytes(32, 7));
  return key;
}
std::string signer_name() { return "ed25519:" + to_hex(signer().public_key()); }
std::string signature_of(const std::string& text) { return to_hex(signer().sign(as_bytes(text))); }

Result<MeasurementList> open(const Json& list, UnixSeconds time = kTime) {
  const std::string text = list.dump();
  return open_measurement_list(text, signature_of(text), {signer_name()}, time);
}

TEST(MeasurementList, SignedByEitherKindOfKey) {
  const std::string text = list_of(Json::array({entry({})})).dump(2);
  const auto list = open_measurement_list(text, signature_of(text) + "\n", {"p256:00", signer_name()}, kTime);
  ASSERT_TRUE(list) << list.error().message;
  ASSERT_EQ(list->entries.size(), 1u);
  EXPECT_EQ(list->entries[0].values.at("mr_td"), std::string(96, '0'));
  const auto key = crypto::EcKey::derive(crypto::Curve::kP256, Bytes(32, 1), "list");
  const std::string name = "p256:" + to_hex(key->public_point());
  EXPECT_TRUE(open_measurement_list(text, to_hex(key->sign(as_bytes(text))), {name}, kTime));
  EXPECT_REFUSED(open_measurement_list(text, to_hex(key->sign(as_bytes(text + " "))), {name}, kTime),
                 "measurement list: none of the 1 keys that the policy names has signed it");
}

TEST(MeasurementList, WithoutAGoodSignatureNothingIsRead) {
  const std::string text = "not even JSON";
  for (const std::string& signature : {std::string(), std::string(128, '0'), std::string(126, 'a'),
                                       signature_of(text + "x"), "0x" + signature_of(text)}) {
    const auto list = open_measurement_list(text, signature, {signer_name()}, kTime);
    ASSERT_FALSE(list);
    EXPECT_EQ(list.error().message.find("JSON"), std::string::npos) << list.error().message;
  }
  for (const std::string& key : {std::string(), std::string("ed25519:"), std::string("ed25519"),
                                 "rsa:" + to_hex(signer().public_key()), to_hex(signer().public_key())}) {
    EXPECT_REFUSED(open_measurement_list(text, signature_of(text), {key}, kTime),
                   "measurement list: none of the 1 keys that the policy names has signed it")
        << key;
  }
  EXPECT_REFUSED(open_measurement_list(text, signature_of(text), {}, kTime),
                 "measurement list: none of the 0 keys that the policy names has signed it");
}

TEST(MeasurementList, EveryByteIsSigned) {
  const std::string text = list_of(Json::array({entry({})})).dump();
  const std::string signature = signature_of(text);
  for (std::size_t i = 0; i < text.size(); i += 7) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_REFUSED(open_measurement_list(changed, signature, {signer_name()}, kTime),
                   "measurement list: none of the 1 keys that the policy names has signed it")
        << i;
  }
}

TEST(MeasurementList, Window) {
  const Json list = list_of(Json::array());
  const UnixSeconds issued = *from_rfc3339("2026-05-01T00:00:00Z"), expires = *from_rfc3339("2026-07-01T00:00:00Z");
  EXPECT_TRUE(open(list, issued));
  EXPECT_TRUE(open(list, expires - 1));
  EXPECT_REFUSED(
      open(list, issued - 1),
      "measurement list: good from 2026-05-01T00:00:00Z until 2026-07-01T00:00:00Z, judged at 2026-04-30T23:59:59Z");
  EXPECT_REFUSED(
      open(list, expires),
      "measurement list: good from 2026-05-01T00:00:00Z until 2026-07-01T00:00:00Z, judged at 2026-07-01T00:00:00Z");
}

TEST(MeasurementList, FormIsStrict) {
  const std::vector<std::pair<const char*, std::function<void(Json&)>>> cases = {
      {"other format", [](Json& l) { l["format"] = "cloister.measurements.v2"; }},
      {"no format", [](Json& l) { l.erase("format"); }},
      {"unknown member", [](Json& l) { l["more"] = 1; }},
      {"no time", [](Json& l) { l["issued"] = 1; }},
      {"measurements no array", [](Json& l) { l["measurements"] = "x"; }},
      {"entry no object", [](Json& l) { l["measurements"][0] = 1; }},
      {"entry without name", [](Json& l) { l["measurements"][0].erase("name"); }},
      {"entry without rtmr0", [](Json& l) { l["measurements"][0].erase("rtmr0"); }},
      {"short value", [](Json& l) { l["measurements"][0]["rtmr1"] = "aa"; }},
      {"no hex", [](Json& l) { l["measurements"][0]["rtmr1"] = std::string(96, 'x'); }},
      {"number", [](Json& l) { l["measurements"][0]["rtmr1"] = 1; }},
      {"unknown condition", [](Json& l) { l["measurements"][0]["rtmr9"] = std::string(96, 'a'); }},
  };
  for (const auto& [name, change] : cases) {
    Json list = list_of(Json::array({entry({})}));
    ASSERT_TRUE(open(list));
    change(list);
    EXPECT_FALSE(open(list)) << name;
  }
}

// ---- in a policy ----

BootSample sample_with_list(const Json& entries) {
  BootSample sample = make_sample();
  BootPolicy& boot = sample.policy.boot;
  boot.mr_td = boot.rtmr0 = boot.rtmr1 = boot.rtmr2 = {};
  boot.measurement_list_keys = {signer_name()};
  sample.collateral.measurement_list = list_of(entries).dump();
  sample.collateral.measurement_list_signature = signature_of(sample.collateral.measurement_list);
  return sample;
}

TEST(MeasurementListPolicy, AnEntryThatHoldsAsAWholeIsAccepted) {
  const codec::TdReport report = make_sample().report;
  const BootSample sample = sample_with_list(Json::array({entry({}), entry(report)}));
  const Verdict verdict = sample.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("tdx.measurements")->actual, "as image 1, 8 CPUs");
}

TEST(MeasurementListPolicy, HalvesOfTwoEntriesAreNoMatch) {
  const codec::TdReport report = make_sample().report;
  Json first = entry(report), second = entry(report);
  first["rtmr0"] = std::string(96, 'a');
  second["rtmr2"] = std::string(96, 'b');
  EXPECT_EQ(sample_with_list(Json::array({first, second})).failing(), Ids{"tdx.measurements"});
  Json with_image = entry(report);
  with_image["os_image_hash"] = std::string(64, '9');
  EXPECT_EQ(sample_with_list(Json::array({with_image})).failing(), Ids{"tdx.measurements"});
  with_image["os_image_hash"] = std::string(64, '3');
  EXPECT_EQ(sample_with_list(Json::array({with_image})).failing(), Ids{});
}

TEST(MeasurementListPolicy, AbsentBrokenOrOldListsAreNoYes) {
  const Json entries = Json::array({entry(make_sample().report)});
  BootSample sample = sample_with_list(entries);
  sample.collateral.measurement_list.clear();
  EXPECT_EQ(sample.ids(State::kSkipped), (Ids{"boot.measurement_list", "tdx.measurements"}));
  sample = sample_with_list(entries);
  sample.collateral.measurement_list += " ";
  EXPECT_EQ(sample.failing(), Ids{"boot.measurement_list"});
  EXPECT_EQ(sample.judge().find("tdx.measurements")->state, State::kSkipped);
  sample = sample_with_list(entries);
  sample.policy.boot.min_measurement_list_issued = *from_rfc3339("2026-05-01T00:00:01Z");
  EXPECT_EQ(sample.failing(), Ids{"boot.measurement_list"});
  // A list that nobody trusts changes nothing.
  sample = sample_with_list(entries);
  sample.policy.boot.measurement_list_keys.clear();
  EXPECT_EQ(sample.judge().find("boot.measurement_list")->state, State::kNotApplicable);
  EXPECT_EQ(sample.judge().find("tdx.measurements")->state, State::kSkipped);
}

}  // namespace
}  // namespace cloister::verify
