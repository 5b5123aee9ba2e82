// For tests: a boot as a dstack guest logs it, with a policy that expects exactly that boot. Everything can be changed;
// the registers follow the log only through `seal`.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "crypto/secp256k1.h"
#include "evidence/event_log.h"
#include "verify/boot/boot_checks.h"

namespace cloister::verify::testing {

constexpr UnixSeconds kTime = 1780272000;  // 2026-06-01
using Ids = std::set<std::string>;

inline Bytes filled(std::size_t size, std::uint8_t value) { return Bytes(size, value); }

template <std::size_t N>
Bytes bytes_of(const ByteArray<N>& array) {
  return {array.begin(), array.end()};
}

inline crypto::Secp256k1Key test_key(std::uint8_t mark) { return *crypto::Secp256k1Key::from_secret(Bytes(32, mark)); }

// A chain as dstack's KMS makes it, from the root with mark 1 and the application key with mark 2.
inline evidence::KeyCustody custody_of(const std::string& role, ByteView app_id, std::uint8_t derived_mark) {
  const auto root = test_key(1), app = test_key(2), derived = test_key(derived_mark);
  evidence::KeyCustody key;
  key.role = role;
  key.path = "aci/" + role + "/v1";
  key.purpose = "aci." + role + ".v1";
  key.algo = "secp256k1";
  key.public_key = to_hex(derived.public_key());
  key.kms_public_key = to_hex(crypto::compress_secp256k1(derived.public_key()));
  key.signature_chain.push_back(
      to_hex(app.sign_digest(crypto::keccak256(as_bytes(key.purpose + ":" + key.kms_public_key)))));
  Bytes issued = to_bytes(as_bytes("dstack-kms-issued:"));
  append(issued, app_id);
  append(issued, crypto::compress_secp256k1(app.public_key()));
  key.signature_chain.push_back(to_hex(root.sign_digest(crypto::keccak256(issued))));
  return key;
}

struct BootSample {
  std::vector<evidence::Event> events;
  evidence::BootEvidence evidence;
  codec::TdReport report;
  Policy policy;
  Collateral collateral;
  RootKind root = RootKind::kVendor;

  // Writes the log and sets the registers to what the log replays to, as a machine that measured this would.
  void seal() {
    evidence.event_log = evidence::event_log_json(events).dump();
    std::vector<evidence::Extension> extensions;
    for (const evidence::Event& event : events) extensions.push_back({event.imr, event.digest});
    const auto registers = evidence::replay(extensions);
    for (int i = 0; i < 4; ++i) report.rtmr[i] = registers[static_cast<std::size_t>(i)];
  }

  // The index of the event of this name.
  std::size_t find(std::string_view name) const {
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (events[i].name == name) return i;
    }
    return events.size();
  }
  void set_event(std::string_view name, ByteView payload) {
    events.at(find(name)) = evidence::runtime_event(name, payload);
  }

  // Changes the log as JSON, for changes that a machine did not measure.
  void edit_log(const std::function<void(Json&)>& edit) {
    Json log = *codec::parse_json(*evidence.event_log);
    edit(log);
    evidence.event_log = log.dump();
  }

  Verdict judge() const {
    Verdict verdict;
    check_boot(evidence, report, root, {policy, collateral, kTime}, verdict);
    return verdict;
  }
  Ids ids(State state) const {
    Ids out;
    for (const Check& check : judge().checks) {
      if (check.state == state) out.insert(check.id);
    }
    return out;
  }
  Ids failing() const { return ids(State::kFail); }
};

inline std::string sample_compose() {
  return Json{{"name", "app"},
              {"runner", "docker-compose"},
              {"docker_compose_file", "services:\n  a:\n    image: vendor/app@sha256:" + std::string(64, 'a') + "\n"},
              {"allowed_envs", Json::array({"TOKEN"})}}
      .dump();
}

inline evidence::Event boot_event(int imr, std::uint32_t type, std::string_view data) {
  evidence::Event event;
  event.imr = imr;
  event.event_type = type;
  event.payload = to_bytes(as_bytes(data));
  event.digest = crypto::sha384(event.payload);
  return event;
}

// Makes the policy expect what the sample measures.
inline void expect_it_all(BootSample& sample) {
  BootPolicy& boot = sample.policy.boot;
  boot.mr_td = {bytes_of(sample.report.mr_td)};
  boot.rtmr0 = {bytes_of(sample.report.rtmr[0])};
  boot.rtmr1 = {bytes_of(sample.report.rtmr[1])};
  boot.rtmr2 = {bytes_of(sample.report.rtmr[2])};
  boot.compose_hashes = {bytes_of(crypto::sha256(as_bytes(*sample.evidence.app_compose)))};
  boot.app_ids = {filled(20, 0x22)};
  boot.os_image_hashes = {filled(32, 0x33)};
  boot.key_providers = {"kms:aabb"};
  boot.kms_root_keys = {bytes_of(crypto::compress_secp256k1(test_key(1).public_key()))};
  boot.require_pinned_images = true;
}

inline BootSample make_sample() {
  using evidence::runtime_event;
  BootSample sample;
  sample.evidence.app_compose = sample_compose();
  const auto compose_hash = crypto::sha256(as_bytes(*sample.evidence.app_compose));
  sample.events = {boot_event(0, 0x8000000b, "firmware"),
                   boot_event(1, 0x80000003, "kernel"),
                   boot_event(2, 6, "command line"),
                   runtime_event("system-preparing", {}),
                   runtime_event("app-id", filled(20, 0x22)),
                   runtime_event("compose-hash", compose_hash),
                   runtime_event("instance-id", filled(20, 0x44)),
                   runtime_event("boot-mr-done", {}),
                   runtime_event("os-image-hash", filled(32, 0x33)),
                   runtime_event("key-provider", as_bytes(R"({"name":"kms","id":"aabb"})")),
                   runtime_event("system-ready", {})};
  sample.report.mr_td.fill(0x11);
  sample.report.mr_config_id[0] = 1;
  std::copy(compose_hash.begin(), compose_hash.end(), sample.report.mr_config_id.begin() + 1);
  sample.seal();
  sample.evidence.vm_config = Json{{"os_image_hash", std::string(64, '3')}}.dump();
  sample.evidence.claims = {{"info.tcb_info.mrtd", "mrtd", to_hex(sample.report.mr_td)},
                            {"info.app_id", "app_id", std::string(40, '2')}};
  sample.evidence.key_custody = {custody_of("receipt", filled(20, 0x22), 3), custody_of("e2ee", filled(20, 0x22), 4)};
  expect_it_all(sample);
  return sample;
}

}  // namespace cloister::verify::testing
