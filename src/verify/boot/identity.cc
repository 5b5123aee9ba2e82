#include "verify/boot/identity.h"

#include <optional>
#include <set>
#include <string>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "verify/boot/events.h"
#include "verify/boot/key_provider.h"
#include "verify/boot/mr_config_id.h"
#include "verify/check.h"
#include "verify/expected_values.h"

namespace cloister::verify {
namespace {

constexpr std::size_t kHashSize = 32;
constexpr std::size_t kAppIdSize = 20;

// The check where the log says nothing about `what`: whether it was expected or not, readable or not.
Check without_event(const BootCase& boot, const std::string& id, const std::string& what, bool expected) {
  if (boot.log.present && !boot.log.authentic) return skipped(id, "the event log is not authentic");
  const std::string reason = boot.log.present ? "the log holds no " + what + " event" : "there is no event log";
  if (!expected) return not_applicable(id, reason);
  if (boot.log.present) return failed(id, reason, "one that the policy expects");
  return skipped(id, reason + ", and the policy expects a " + what);
}

std::string none_expected(const std::string& actual) { return "the policy expects none in particular: " + actual; }

// The payload of an event must have `size` bytes and be one of `expected`. Where nothing is expected a well-formed
// value does not pass: it only says what somebody runs.
Check check_value(const BootCase& boot, const std::string& id, const char* event, std::size_t size,
                  const std::set<Bytes>& expected) {
  const auto payload = boot.log.payload(event);
  if (!payload) return without_event(boot, id, event, !expected.empty());
  const std::string actual = to_hex(*payload);
  if (payload->size() != size) return failed(id, "wrong size", std::to_string(size) + " bytes", actual);
  if (expected.empty()) return not_applicable(id, none_expected(actual));
  return one_of(id, expected, *payload);
}

// The hash must be an expected one, and SHA-256 of the text as it was served, byte for byte.
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

void add_facts(const BootCase& boot, Json& facts) {
  facts["mr_config_id"] = to_hex(boot.report.mr_config_id);
  if (!boot.log.authentic) return;
  const std::pair<const char*, const char*> events[] = {
      {"app_id", "app-id"},           {"compose_hash", "compose-hash"},
      {"instance_id", "instance-id"}, {"os_image_hash", "os-image-hash"},
      {"rootfs_hash", "rootfs-hash"}, {"mr_kms", "mr-kms"}};
  for (const auto& [fact, event] : events) {
    if (const auto payload = boot.log.payload(event)) facts[fact] = to_hex(*payload);
  }
  if (const auto provider = key_provider_of(boot.log)) facts["key_provider"] = provider->text();
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
