#include "verify/boot/system_events.h"

#include <optional>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "codec/jcs.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "verify/boot/events.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

constexpr std::string_view kGpuPolicy = "gpu-policy-hash";
constexpr std::string_view kInitScript = "init-script-hash";

// The compose text as an object, if it is proven to be the measured one.
std::optional<Json> measured_text(const BootCase& boot, const Check& compose_hash) {
  if (!boot.evidence.app_compose || compose_hash.state != State::kPass) return std::nullopt;
  Result<Json> object = codec::parse_json(*boot.evidence.app_compose, {1u << 20, 32, 1u << 16});
  if (!object || !object->is_object()) return std::nullopt;
  return *std::move(object);
}

std::optional<std::string> policy_hash(const Json& compose) {
  Json policy = Json::object();
  if (const auto requirements = compose.find("requirements");
      requirements != compose.end() && requirements->is_object()) {
    if (const auto own = requirements->find("gpu_policy"); own != requirements->end()) policy = *own;
  }
  const Result<std::string> canonical = codec::write_jcs(policy);
  if (!canonical) return std::nullopt;
  return to_hex(crypto::sha256(as_bytes(*canonical)));
}

Check check_gpu_policy(const BootCase& boot, const std::optional<Json>& compose) {
  const std::string id = "boot.gpu_policy";
  if (boot.log.present && !boot.log.authentic) return skipped(id, "the event log is not authentic");
  const auto payload = boot.log.payload(kGpuPolicy);
  if (!payload) return not_applicable(id, "the log holds no gpu-policy-hash event");
  if (payload->size() != 32) return failed(id, "wrong size", "32 bytes", to_hex(*payload));
  if (!compose) return not_applicable(id, "the compose text is not proven to be the measured one: " + to_hex(*payload));
  const auto expected = policy_hash(*compose);
  if (!expected)
    return not_applicable(id, "the policy in the compose text has no canonical form here: " + to_hex(*payload));
  return compared(id, *expected, to_hex(*payload),
                  "the GPU policy in the compose text is not the one that was measured");
}

std::vector<std::string> measured_scripts(const BootLog& log) {
  std::vector<std::string> out;
  for (const evidence::LoggedEvent& event : log.events) {
    if (!event.is_runtime()) continue;
    if (event.name == kSystemReady) break;
    if (event.name == kInitScript) out.push_back(to_hex(event.payload));
  }
  return out;
}

// Returns one text, or a list of texts. Absent for anything else.
std::optional<std::vector<std::string>> scripts_of(const Json& compose) {
  std::vector<std::string> out;
  const auto member = compose.find("init_script");
  if (member == compose.end() || member->is_null()) return out;
  const Json list = member->is_array() ? *member : Json::array({*member});
  for (const Json& script : list) {
    if (!script.is_string()) return std::nullopt;
    out.push_back(to_hex(crypto::sha256(as_bytes(script.get_ref<const std::string&>()))));
  }
  return out;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

Check check_init_scripts(const BootCase& boot, const std::optional<Json>& compose) {
  const std::string id = "boot.init_scripts";
  if (boot.log.present && !boot.log.authentic) return skipped(id, "the event log is not authentic");
  const std::vector<std::string> measured = measured_scripts(boot.log);
  if (measured.empty()) return not_applicable(id, "the log holds no init-script-hash event");
  if (!compose) return not_applicable(id, "the compose text is not proven to be the measured one: " + joined(measured));
  const auto named = scripts_of(*compose);
  if (!named) return failed(id, "init_script in the compose text is neither a text nor a list of texts");
  return compared(id, joined(*named), joined(measured),
                  "the scripts in the compose text are not those that were measured");
}

}  // namespace

void check_system_events(const BootCase& boot, const Check& compose_hash, Verdict& verdict) {
  const std::optional<Json> compose = measured_text(boot, compose_hash);
  verdict.add(check_gpu_policy(boot, compose));
  verdict.add(check_init_scripts(boot, compose));
}

}  // namespace cloister::verify
