#include "verify/boot/mr_config_id.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "codec/jcs.h"
#include "crypto/hash.h"
#include "verify/boot/events.h"
#include "verify/boot/key_provider.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

constexpr const char* kId = "boot.mr_config_id";
constexpr std::size_t kHashSize = 32;
constexpr std::size_t kAppIdSize = 20;
// dstack binds no more than this (dstack-types, MAX_INIT_SCRIPTS).
constexpr std::size_t kMostInitScripts = 5;
constexpr std::string_view kDocumentTag = "dstack-mr-config-v3:";
constexpr char kDocumentTagEnd = '\0';

using ConfigId = ByteArray<48>;

// The names of a provider's kind, and the number that the second form has for it.
struct ProviderKind {
  std::string_view name;
  std::uint8_t number;
};
std::optional<ProviderKind> kind_of(const std::string& provider) {
  if (provider == "none") return ProviderKind{"none", 0};
  if (provider == "local" || provider == "local-sgx") return ProviderKind{"local", 1};
  if (provider == "kms") return ProviderKind{"kms", 2};
  if (provider == "tpm") return ProviderKind{"tpm", 3};
  return std::nullopt;
}

// What the log says about the application, as far as its events have the required sizes.
struct LoggedApplication {
  ByteArray<kHashSize> compose_hash{};
  std::optional<Bytes> app_id, instance_id, gpu_policy_hash;
  std::optional<ProviderKind> provider;
  Bytes provider_id;
  std::vector<std::string> init_scripts;  // hex
};

std::optional<Bytes> sized_payload(const BootLog& log, std::string_view name, std::size_t size) {
  const auto payload = log.payload(name);
  if (!payload || payload->size() != size) return std::nullopt;
  return to_bytes(*payload);
}

std::vector<std::string> init_scripts_of(const BootLog& log) {
  std::vector<std::string> out;
  for (const evidence::LoggedEvent& event : log.events) {
    if (!event.is_runtime()) continue;
    if (event.name == kSystemReady) break;
    if (event.name == "init-script-hash") out.push_back(to_hex(event.payload));
  }
  return out;
}

std::optional<LoggedApplication> read_application(const BootLog& log) {
  const auto compose_hash = sized_payload(log, "compose-hash", kHashSize);
  if (!compose_hash) return std::nullopt;
  LoggedApplication out;
  std::copy(compose_hash->begin(), compose_hash->end(), out.compose_hash.begin());
  out.app_id = sized_payload(log, "app-id", kAppIdSize);
  out.instance_id = sized_payload(log, "instance-id", kAppIdSize);
  out.gpu_policy_hash = sized_payload(log, "gpu-policy-hash", kHashSize);
  if (const auto provider = key_provider_of(log)) {
    out.provider = kind_of(provider->name);
    out.provider_id = provider->id;
  }
  out.init_scripts = init_scripts_of(log);
  return out;
}

ConfigId as_config_id(std::uint8_t form, const ByteArray<32>& hash) {
  ConfigId out{};
  out[0] = form;
  std::copy(hash.begin(), hash.end(), out.begin() + 1);
  return out;
}

std::optional<ConfigId> second_form(const LoggedApplication& application) {
  if (!application.app_id || !application.provider) return std::nullopt;
  Bytes text = to_bytes(application.compose_hash);
  append(text, *application.app_id);
  text.push_back(application.provider->number);
  append(text, application.provider_id);
  return as_config_id(2, crypto::keccak256(text));
}

std::optional<ConfigId> third_form(const Json& document) {
  const Result<std::string> canonical = codec::write_jcs(document);
  if (!canonical) return std::nullopt;
  Bytes text = to_bytes(as_bytes(kDocumentTag));
  text.push_back(kDocumentTagEnd);
  append(text, as_bytes(*canonical));
  return as_config_id(3, crypto::sha256(text));
}

// The members that a document may have or lack, each with the log's value.
std::vector<std::pair<const char*, Json>> optional_members(const LoggedApplication& application) {
  std::vector<std::pair<const char*, Json>> out;
  if (application.app_id) out.emplace_back("app_id", to_hex(*application.app_id));
  if (application.instance_id) out.emplace_back("instance_id", to_hex(*application.instance_id));
  if (!application.provider_id.empty()) out.emplace_back("key_provider_id", to_hex(application.provider_id));
  if (application.gpu_policy_hash) out.emplace_back("gpu_policy_hash", to_hex(*application.gpu_policy_hash));
  // An empty list says that no script may run; a missing list does not say so.
  if (application.init_scripts.size() <= kMostInitScripts) {
    out.emplace_back("init_script_hashes", application.init_scripts);
  }
  return out;
}

Check check_third_form(const LoggedApplication& application, const ConfigId& actual) {
  if (!application.provider) return failed(kId, "the log lacks what this form is made of", {}, to_hex(actual));
  const auto members = optional_members(application);
  // From all of them to none: the fullest document is reported as the expected one.
  std::optional<ConfigId> fullest;
  for (unsigned chosen = (1u << members.size()) - 1;; --chosen) {
    Json document = {{"version", 3},
                     {"compose_hash", to_hex(application.compose_hash)},
                     {"key_provider", application.provider->name}};
    std::string fixed = "compose_hash, key_provider";
    for (std::size_t i = 0; i < members.size(); ++i) {
      if ((chosen >> i & 1) == 0) continue;
      document[members[i].first] = members[i].second;
      fixed += std::string(", ") + members[i].first;
    }
    const auto expected = third_form(document);
    if (expected == actual) return passed(kId, to_hex(actual), "it fixes " + fixed);
    if (!fullest) fullest = expected;
    if (chosen == 0) break;
  }
  return failed(kId, "MRCONFIGID and the event log name different applications", fullest ? to_hex(*fullest) : "",
                to_hex(actual));
}

Check check_set(const BootCase& boot) {
  const ConfigId& actual = boot.report.mr_config_id;
  const auto application = read_application(boot.log);
  if (actual[0] < 1 || actual[0] > 3) return failed(kId, "unknown form", "form 1, 2 or 3", to_hex(actual));
  if (!application) return failed(kId, "the log lacks what this form is made of", {}, to_hex(actual));
  if (actual[0] == 3) return check_third_form(*application, actual);
  const auto expected = actual[0] == 1 ? as_config_id(1, application->compose_hash) : second_form(*application);
  if (!expected) return failed(kId, "the log lacks what this form is made of", {}, to_hex(actual));
  return compared(kId, to_hex(*expected), to_hex(actual), "MRCONFIGID and the event log name different applications");
}

}  // namespace

Check check_mr_config_id(const BootCase& boot) {
  const ConfigId& actual = boot.report.mr_config_id;
  const bool unset = actual == ConfigId{};
  if (unset && boot.policy.allow_unset_mr_config_id) return passed(kId, "unset", "the policy allows that");
  if (boot.log.present && !boot.log.authentic) return skipped(kId, "the event log is not authentic");
  if (!boot.log.payload("compose-hash")) {
    if (unset) return not_applicable(kId, "unset, and no log names a compose hash that it could repeat");
    return not_applicable(kId, boot.log.present ? "the log holds no compose-hash event" : "there is no event log");
  }
  if (unset) return failed(kId, "unset; the policy does not allow that", "form 1, 2 or 3", to_hex(actual));
  return check_set(boot);
}

}  // namespace cloister::verify
