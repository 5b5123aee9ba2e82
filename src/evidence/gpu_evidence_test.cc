#include "evidence/gpu_evidence.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "codec/json.h"
#include "codec/spdm.h"
#include "crypto/ecdsa.h"
#include "crypto/x509.h"

namespace cloister::evidence {
namespace {

const std::string kNonce = std::string(62, '0') + "ab";

NvidiaPayload small_payload() {
  NvidiaPayload payload{kNonce, "HOPPER", {}};
  payload.evidence_list.push_back({"HOPPER", Bytes{1, 2, 3}, "-----BEGIN 1"});
  payload.evidence_list.push_back({"HOPPER", Bytes{4}, "-----BEGIN 2"});
  return payload;
}

Json small_json() { return Json::parse(write_nvidia_payload(small_payload())); }

std::string complaint(const Json& json) {
  const auto payload = parse_nvidia_payload(json.dump());
  if (payload) return "accepted";
  EXPECT_EQ(payload.error().code, ErrorCode::kBadGpuEvidence);
  return payload.error().message;
}

void expect_complaint(const Json& json, std::string_view part) {
  const std::string message = complaint(json);
  EXPECT_NE(message.find(part), std::string::npos) << message << " (expected: " << part << ")";
}

TEST(NvidiaPayload, WriterAndParserAgree) {
  const std::string text = write_nvidia_payload(small_payload());
  EXPECT_EQ(text, "{\"nonce\":\"" + kNonce +
                      "\",\"evidence_list\":["
                      "{\"certificate\":\"LS0tLS1CRUdJTiAx\",\"evidence\":\"AQID\",\"arch\":\"HOPPER\"},"
                      "{\"certificate\":\"LS0tLS1CRUdJTiAy\",\"evidence\":\"BA==\",\"arch\":\"HOPPER\"}],"
                      "\"arch\":\"HOPPER\"}");
  const auto payload = parse_nvidia_payload(text);
  ASSERT_TRUE(payload) << payload.error().message;
  EXPECT_EQ(payload->nonce_hex, kNonce);
  EXPECT_EQ(payload->arch, "HOPPER");
  ASSERT_EQ(payload->evidence_list.size(), 2u);
  EXPECT_EQ(payload->evidence_list[0].report, (Bytes{1, 2, 3}));
  EXPECT_EQ(payload->evidence_list[1].certificate_chain_pem, "-----BEGIN 2");
  EXPECT_EQ(payload->evidence_list[1].arch, "HOPPER");
}

TEST(NvidiaPayload, TakesTheBareArrayAndTheHintsOfPeers) {
  Json list = small_json()["evidence_list"];
  for (Json& entry : list) {
    entry["nonce"] = kNonce;
    entry["driver_version"] = "550.90.07";
  }
  const auto payload = parse_nvidia_payload(list.dump());
  ASSERT_TRUE(payload) << payload.error().message;
  EXPECT_EQ(payload->nonce_hex, kNonce);
  EXPECT_EQ(payload->evidence_list.size(), 2u);

  Json object = small_json();
  object["evidence_list"][0].erase("arch");
  object["claims_version"] = "2.0";
  object["nonce"] = std::string(62, '0') + "AB";
  const auto lower = parse_nvidia_payload(object.dump());
  ASSERT_TRUE(lower);
  EXPECT_EQ(lower->nonce_hex, kNonce);
  EXPECT_EQ(lower->evidence_list[0].arch, "HOPPER");

  object["evidence_list"] = Json::array();
  EXPECT_TRUE(parse_nvidia_payload(object.dump())->evidence_list.empty());
}

TEST(NvidiaPayload, HintsThatDisagreeAreRefused) {
  Json json = small_json();
  json["evidence_list"][1]["nonce"] = std::string(64, '1');
  expect_complaint(json, "agree on `nonce`");
  json = small_json();
  json["evidence_list"][1]["arch"] = "BLACKWELL";
  expect_complaint(json, "agree on `arch`");
  Json list = small_json()["evidence_list"];
  list[0]["nonce"] = kNonce;
  list[1]["nonce"] = std::string(64, '1');
  expect_complaint(list, "agree on `nonce`");
}

// As Chutes and older versions of NVIDIA's SDK write it: only the signed reports hold the nonce.
TEST(NvidiaPayload, TheBareArrayMayNameNoNonce) {
  const Json list = small_json()["evidence_list"];
  const auto payload = parse_nvidia_payload(list.dump());
  ASSERT_TRUE(payload) << payload.error().message;
  EXPECT_EQ(payload->nonce_hex, "");
  EXPECT_EQ(payload->evidence_list.size(), list.size());
  const auto again = parse_nvidia_payload(write_nvidia_payload(*payload));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->nonce_hex, "");
  Json whole = small_json();
  whole.erase("nonce");
  expect_complaint(whole, "nonce");
}

TEST(NvidiaPayload, TheBareArrayMayMixArchitectures) {
  Json list = small_json()["evidence_list"];
  for (Json& entry : list) entry["nonce"] = kNonce;
  list[1]["arch"] = "LS10";
  list[1]["vbios_version"] = "96.10.55.00.01";
  list[0]["driver_version"] = nullptr;
  const auto payload = parse_nvidia_payload(list.dump());
  ASSERT_TRUE(payload) << payload.error().message;
  EXPECT_EQ(payload->arch, "HOPPER");
  EXPECT_EQ(payload->evidence_list[0].arch, "HOPPER");
  EXPECT_EQ(payload->evidence_list[1].arch, "LS10");
  EXPECT_EQ(payload->evidence_list[1].vbios_version, "96.10.55.00.01");
  EXPECT_EQ(payload->evidence_list[1].driver_version, "");
  const auto again = parse_nvidia_payload(write_nvidia_payload(*payload));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->evidence_list[1].arch, "LS10");
  EXPECT_EQ(again->nonce_hex, kNonce);
  list[1].erase("arch");
  expect_complaint(list, "no `arch`");
  list[1]["arch"] = "LS10";
  list[1]["driver_version"] = 7;
  expect_complaint(list, "driver_version");
  list[1]["driver_version"] = std::string(65, '1');
  expect_complaint(list, "at most 64");
}

TEST(GpuFiles, HexOrRawAndPemOrBase64) {
  const Bytes report = {0x11, 0xe0, 0x01};
  const std::string pem = "-----BEGIN CERTIFICATE-----\n";
  for (const std::string& file : {std::string("11e001"), std::string("0x11E0 01\r\n"), std::string(as_text(report))}) {
    const auto device = parse_gpu_files(as_bytes(file), as_bytes(pem));
    ASSERT_TRUE(device) << device.error().message;
    EXPECT_EQ(device->report, report);
    EXPECT_EQ(device->certificate_chain_pem, pem);
    EXPECT_EQ(device->arch, "");
  }
  const auto device = parse_gpu_files(report, as_bytes(to_base64(as_bytes(pem)) + "\n"));
  ASSERT_TRUE(device);
  EXPECT_EQ(device->certificate_chain_pem, pem);
  EXPECT_REFUSED(parse_gpu_files(as_bytes("11e0zz"), as_bytes(pem)),
                 "GPU evidence: the report is neither raw nor hex: not a hex digit at position 4");
  EXPECT_REFUSED(parse_gpu_files(report, as_bytes("***")),
                 "GPU evidence: the chain is neither PEM nor base64: base64 length is not a multiple of 4");
  EXPECT_REFUSED(parse_gpu_files(Bytes(300000, 0x11), as_bytes(pem)), "GPU evidence: a file is too large");
}

TEST(NvidiaPayload, OtherShapesAreRefused) {
  EXPECT_REFUSED(parse_nvidia_payload(""), "GPU evidence: not valid JSON at byte 1");
  EXPECT_REFUSED(parse_nvidia_payload("[]"), "GPU evidence: the list is empty");
  EXPECT_REFUSED(parse_nvidia_payload("null"), "GPU evidence: expected an object with the member `nonce`, got null");
  EXPECT_REFUSED(parse_nvidia_payload("[1]"), "GPU evidence: expected an entry to be an object, got number");
  EXPECT_REFUSED(parse_nvidia_payload(write_nvidia_payload(small_payload()) + "x"),
                 "GPU evidence: not valid JSON at byte 249");
  for (const char* name : {"nonce", "evidence_list", "arch"}) {
    Json json = small_json();
    json[name] = 7;
    expect_complaint(json, name);
    json.erase(name);
    expect_complaint(json, name);
  }
  for (const char* name : {"certificate", "evidence"}) {
    for (const Json& value : {Json(7), Json("***"), Json(""), Json("AQID\n"), Json("AQI")}) {
      Json json = small_json();
      json["evidence_list"][1][name] = value;
      expect_complaint(json, name);
    }
  }
  Json json = small_json();
  json["nonce"] = "00";
  expect_complaint(json, "64 hex digits");
  for (const char* arch : {"", "hopper", "HOPPER ", "../../etc", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    json = small_json();
    json["arch"] = arch;
    expect_complaint(json, "`arch`");
  }
}

TEST(NvidiaPayload, LimitsAreExact) {
  NvidiaPayload payload = small_payload();
  payload.evidence_list.resize(64, payload.evidence_list[0]);
  EXPECT_TRUE(parse_nvidia_payload(write_nvidia_payload(payload)));
  payload.evidence_list.push_back(payload.evidence_list[0]);
  EXPECT_REFUSED(parse_nvidia_payload(write_nvidia_payload(payload)),
                 "GPU evidence: expected at most 64 devices, got 65");
  payload = small_payload();
  payload.evidence_list[0].report.assign(64 * 1024, 1);
  EXPECT_TRUE(parse_nvidia_payload(write_nvidia_payload(payload)));
  payload.evidence_list[0].report.push_back(1);
  EXPECT_REFUSED(parse_nvidia_payload(write_nvidia_payload(payload)),
                 "GPU evidence: expected `evidence` to hold 1 to 65536 bytes, got 65537");
}

TEST(NvidiaPayload, GenuineListsParseAndTheirSignaturesHold) {
  struct Case {
    const char* name;
    const char* arch;
    std::size_t devices;
  };
  for (const Case& test :
       {Case{"evidence_hopper_1gpu.json", "HOPPER", 1}, Case{"evidence_hopper_4gpu.json", "HOPPER", 4},
        Case{"evidence_hopper_CERT_HOLD.json", "HOPPER", 1}, Case{"evidence_ls10_1switch.json", "LS10", 1}}) {
    const auto payload = parse_nvidia_payload(testing::vector_text(std::string("nvidia/") + test.name));
    ASSERT_TRUE(payload) << test.name << ": " << payload.error().message;
    EXPECT_EQ(payload->arch, test.arch);
    ASSERT_EQ(payload->evidence_list.size(), test.devices);
    for (const GpuEvidence& evidence : payload->evidence_list) {
      const auto report = codec::parse_spdm_report(evidence.report);
      ASSERT_TRUE(report) << test.name << ": " << report.error().message;
      EXPECT_EQ(to_hex(report->request_nonce), payload->nonce_hex);
      const auto chain = crypto::parse_pem_chain(as_bytes(evidence.certificate_chain_pem));
      ASSERT_TRUE(chain) << test.name << ": " << chain.error().message;
      EXPECT_TRUE(crypto::verify_ecdsa(crypto::Curve::kP384, *chain->front().ec_public_point(), report->signed_region,
                                       report->signature))
          << test.name;
    }
    EXPECT_TRUE(parse_nvidia_payload(write_nvidia_payload(*payload))) << test.name;
  }
}

TEST(NvidiaPayload, GenuineChainsEndInThePinnedRoot) {
  const auto root = crypto::parse_pem_chain(testing::vector_bytes("nvidia/roots/device_root.pem"));
  ASSERT_TRUE(root);
  constexpr UnixSeconds kJune2025 = 1750809600;
  for (const char* name : {"evidence_hopper_1gpu.json", "evidence_hopper_4gpu.json", "evidence_ls10_1switch.json"}) {
    const auto payload = parse_nvidia_payload(testing::vector_text(std::string("nvidia/") + name));
    ASSERT_TRUE(payload);
    for (const GpuEvidence& evidence : payload->evidence_list) {
      const auto chain = crypto::parse_pem_chain(as_bytes(evidence.certificate_chain_pem));
      ASSERT_TRUE(chain);
      const auto verdict = crypto::verify_certificate_chain(*chain, root->front(), crypto::Curve::kP384, kJune2025);
      EXPECT_TRUE(verdict) << name << ": " << verdict.error().message;
    }
  }
}

}  // namespace
}  // namespace cloister::evidence
