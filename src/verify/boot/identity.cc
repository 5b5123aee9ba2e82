#include "verify/boot/identity.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "verify/boot/events.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

constexpr std::size_t kHashSize = 32;
constexpr std::size_t kAppIdSize = 20;

std::string listed(const std::set<Bytes>& values) {
  std::string out;
  for (const Bytes& value : values) out += (out.empty() ? "" : " or ") + to_hex(value);
  return out;
}

// Where the log tells nothing about `what`: asked for or not, readable or not.
Check without_event(const BootCase& boot, const std::string& id, const std::string& what, bool expected) {
  if (boot.log.present && !boot.log.authentic) return skipped(id, "the event log is not authentic");
  const std::string reason = boot.log.present ? "the log holds no " + what + " event" : "there is no event log";
  if (!expected) return not_applicable(id, reason);
  if (boot.log.present) return failed(id, reason, "one that the policy expects");
  return skipped(id, reason + ", and the policy expects a " + what);
}

std::string none_expected(const std::string& actual) { return "the policy expects none in particular: " + actual; }

// The payload of an event that must have `size` bytes and be one of `expected`. Where nothing is expected a well-formed
// value passes nothing: it says only what somebody runs.
Check check_value(const BootCase& boot, const std::string& id, const char* event, std::size_t size,
                  const std::set<Bytes>& expected) {
  const auto payload = boot.log.payload(event);
  if (!payload) return without_event(boot, id, event, !expected.empty());
  const std::string actual = to_hex(*payload);
  if (payload->size() != size) return failed(id, "wrong size", std::to_string(size) + " bytes", actual);
  if (expected.empty()) return not_applicable(id, none_expected(actual));
  if (expected.contains(to_bytes(*payload))) return passed(id, actual);
  return failed(id, "not one that the policy expects", listed(expected), actual);
}

// An expected hash, and SHA-256 of the text as it was served, byte for byte.
Check check_compose_hash(const BootCase& boot) {
  const std::string id = "boot.compose_hash";
  const std::set<Bytes>& expected = boot.policy.compose_hashes;
  Check check = check_value(boot, id, "compose-hash", kHashSize, expected);
  const auto payload = boot.log.payload("compose-hash");
  if (!payload || check.state == State::kFail || !boot.evidence.app_compose) return check;
  const std::string measured = to_hex(*payload);
  const std::string served = to_hex(crypto::sha256(as_bytes(*boot.evidence.app_compose)));
  if (served != measured) {
    return failed(id, "the compose text that was served is not the one that was measured", measured, served);
  }
  return passed(id, measured, expected.empty() ? "the text is the measured one; the policy expects none" : "");
}

Check check_instance_id(const BootCase& boot) {
  const std::string id = "boot.instance_id";
  const auto payload = boot.log.payload("instance-id");
  if (!payload) return without_event(boot, id, "instance-id", false);
  if (payload->empty()) return passed(id, "", "the application asked for none");
  if (payload->size() == kAppIdSize) return passed(id, to_hex(*payload));
  return failed(id, "wrong size", "0 or 20 bytes", to_hex(*payload));
}

struct KeyProvider {
  std::string name;
  Bytes id;
  std::string text() const { return name + ":" + to_hex(id); }
};

Result<KeyProvider> parse_key_provider(ByteView payload) {
  TRY(object, codec::parse_json(as_text(payload), {4096, 2, 16}));
  KeyProvider out;
  TRY(name, codec::string_member(object, "name"));
  TRY(id_text, codec::string_member(object, "id"));
  TRY(id, from_hex(id_text));
  out.name = std::move(name);
  out.id = std::move(id);
  return out;
}

std::optional<KeyProvider> key_provider_of(const BootCase& boot) {
  const auto payload = boot.log.payload("key-provider");
  if (!payload) return std::nullopt;
  const Result<KeyProvider> provider = parse_key_provider(*payload);
  if (!provider) return std::nullopt;
  return *provider;
}

Check check_key_provider(const BootCase& boot) {
  const std::string id = "boot.key_provider";
  const std::set<std::string>& expected = boot.policy.key_providers;
  const auto payload = boot.log.payload("key-provider");
  if (!payload) return without_event(boot, id, "key-provider", !expected.empty());
  const Result<KeyProvider> provider = parse_key_provider(*payload);
  if (!provider) return failed(id, provider.error().message);
  const std::string actual = provider->text();
  if (expected.empty()) return not_applicable(id, none_expected(actual));
  if (expected.contains(actual)) return passed(id, actual);
  std::string wanted;
  for (const std::string& one : expected) wanted += (wanted.empty() ? "" : " or ") + one;
  return failed(id, "not one that the policy expects", wanted, actual);
}

// Kinds as the second form numbers them.
std::optional<std::uint8_t> kind_of(const std::string& provider) {
  if (provider == "none") return 0;
  if (provider == "local" || provider == "local-sgx") return 1;
  if (provider == "kms") return 2;
  if (provider == "tpm") return 3;
  return std::nullopt;
}

ByteArray<48> as_config_id(std::uint8_t form, const ByteArray<32>& hash) {
  ByteArray<48> out{};
  out[0] = form;
  std::copy(hash.begin(), hash.end(), out.begin() + 1);
  return out;
}

// What MRCONFIGID must be in this form, or nothing where the log lacks a part of it.
std::optional<ByteArray<48>> expected_config_id(const BootCase& boot, std::uint8_t form) {
  const auto compose_hash = boot.log.payload("compose-hash");
  if (!compose_hash || compose_hash->size() != kHashSize) return std::nullopt;
  if (form == 1) {
    ByteArray<32> hash;
    std::copy(compose_hash->begin(), compose_hash->end(), hash.begin());
    return as_config_id(1, hash);
  }
  const auto app_id = boot.log.payload("app-id");
  const auto provider = key_provider_of(boot);
  if (!app_id || app_id->size() != kAppIdSize || !provider) return std::nullopt;
  const auto kind = kind_of(provider->name);
  if (!kind) return std::nullopt;
  Bytes text = to_bytes(*compose_hash);
  append(text, *app_id);
  text.push_back(*kind);
  append(text, provider->id);
  return as_config_id(2, crypto::keccak256(text));
}

Check check_mr_config_id(const BootCase& boot) {
  const std::string id = "boot.mr_config_id";
  const ByteArray<48>& actual = boot.report.mr_config_id;
  const bool has_hash = boot.log.payload("compose-hash").has_value();
  if (actual == ByteArray<48>{}) {
    if (boot.policy.allow_unset_mr_config_id) return passed(id, "unset", "the policy allows that");
    if (boot.log.present && !boot.log.authentic) return skipped(id, "the event log is not authentic");
    if (!has_hash) return not_applicable(id, "unset, and no log names a compose hash that it could repeat");
    return failed(id, "unset; the policy does not allow that", "form 1 or 2", to_hex(actual));
  }
  if (!has_hash) return without_event(boot, id, "compose-hash", false);
  if (actual[0] != 1 && actual[0] != 2) return failed(id, "unknown form", "form 1 or 2", to_hex(actual));
  const auto expected = expected_config_id(boot, actual[0]);
  if (!expected) return failed(id, "the log lacks what this form is made of", {}, to_hex(actual));
  return compared(id, to_hex(*expected), to_hex(actual), "MRCONFIGID and the event log name different applications");
}

void add_facts(const BootCase& boot, Json& facts) {
  facts["mr_config_id"] = to_hex(boot.report.mr_config_id);
  if (!boot.log.authentic) return;
  const std::pair<const char*, const char*> events[] = {{"app_id", "app-id"},
                                                        {"compose_hash", "compose-hash"},
                                                        {"instance_id", "instance-id"},
                                                        {"os_image_hash", "os-image-hash"},
                                                        {"rootfs_hash", "rootfs-hash"},
                                                        {"mr_kms", "mr-kms"}};
  for (const auto& [fact, event] : events) {
    if (const auto payload = boot.log.payload(event)) facts[fact] = to_hex(*payload);
  }
  if (const auto provider = key_provider_of(boot)) facts["key_provider"] = provider->text();
  Json later = Json::array();
  bool ready = false;
  for (const evidence::LoggedEvent& event : boot.log.events) {
    if (ready && event.is_runtime()) later.push_back(event.name);
    ready |= event.is_runtime() && event.name == kSystemReady;
  }
  if (!later.empty()) facts["events_of_the_application"] = std::move(later);
}

}  // namespace

void check_boot_identity(const BootCase& boot, Verdict& verdict) {
  verdict.add(check_compose_hash(boot));
  verdict.add(check_value(boot, "boot.app_id", "app-id", kAppIdSize, boot.policy.app_ids));
  verdict.add(check_instance_id(boot));
  verdict.add(check_value(boot, "boot.os_image_hash", "os-image-hash", kHashSize, boot.policy.os_image_hashes));
  verdict.add(check_key_provider(boot));
  verdict.add(check_mr_config_id(boot));
  add_facts(boot, verdict.facts);
}

}  // namespace cloister::verify
