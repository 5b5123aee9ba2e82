#include "verify/boot/claims.h"

#include <algorithm>
#include <optional>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "crypto/secp256k1.h"
#include "verify/boot/compose.h"
#include "verify/boot/custody.h"
#include "verify/boot/key_provider.h"
#include "verify/boot/system_events.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

constexpr std::string_view kComposeRunner = "docker-compose";

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// What the quote or the authentic log says under the name that `info` uses, in the form of `info`.
std::optional<std::string> measured(const BootCase& boot, const std::string& name) {
  if (name == "mrtd") return to_hex(boot.report.mr_td);
  for (int i = 0; i < 4; ++i) {
    if (name == "rtmr" + std::to_string(i)) return to_hex(boot.report.rtmr[i]);
  }
  const std::map<std::string, std::string> events = {{"compose_hash", "compose-hash"},
                                                     {"app_id", "app-id"},
                                                     {"instance_id", "instance-id"},
                                                     {"key_provider_info", "key-provider"}};
  const auto event = events.find(name);
  if (event == events.end()) return std::nullopt;
  const auto payload = boot.log.payload(event->second);
  if (!payload) return std::nullopt;
  return name == "key_provider_info" ? std::string(as_text(*payload)) : to_hex(*payload);
}

Check check_tcb_info(const BootCase& boot) {
  const std::string id = "boot.tcb_info";
  std::size_t compared_count = 0;
  for (const evidence::BootClaim& claim : boot.evidence.claims) {
    const auto truth = measured(boot, claim.name);
    if (!truth) continue;
    ++compared_count;
    const bool is_hex = claim.name != "key_provider_info";
    if (*truth == (is_hex ? lower(claim.value) : claim.value)) continue;
    return failed(id, claim.where + " is not what was measured", *truth, claim.value.substr(0, 256));
  }
  if (compared_count == 0) return not_applicable(id, "nothing is served that could be compared");
  return passed(id, std::to_string(compared_count) + " values compared", "the rest of `info` does not count");
}

// It is not measured by itself, and in genuine deployments it may differ from the event, which then decides.
Check check_vm_config(const BootCase& boot) {
  const std::string id = "boot.vm_config";
  if (!boot.evidence.vm_config) return not_applicable(id, "there is none");
  const Result<Json> config = codec::parse_json(*boot.evidence.vm_config, {1u << 20, 16, 1u << 16});
  if (!config || !config->is_object()) {
    return failed(id,
                  config ? std::string("expected an object, found ") + config->type_name() : config.error().message);
  }
  const auto claimed = config->find("os_image_hash");
  const auto event = boot.log.payload("os-image-hash");
  if (!event) return not_applicable(id, "no os-image-hash event to compare with: its content does not count");
  if (claimed == config->end() || !claimed->is_string()) {
    return not_applicable(id, "it names no OS image: its content does not count");
  }
  if (lower(claimed->get<std::string>()) == to_hex(*event)) return passed(id, to_hex(*event));
  return not_applicable(id, "it names another OS image than the event log: its content does not count");
}

// The measured system's own GPU attestation before the system let the application start.
Check check_gpu_attestation(const BootCase& boot) {
  const std::string id = "boot.gpu_attestation";
  if (boot.log.present && !boot.log.authentic) return skipped(id, "the event log is not authentic");
  const auto payload = boot.log.payload("gpu-attestation");
  if (!payload) return not_applicable(id, "the log holds no gpu-attestation event");
  const Result<Json> event = codec::parse_json(as_text(*payload), {16384, 4, 64});
  if (!event) return failed(id, event.error().message);
  const Result<std::string> digest = codec::string_member(*event, "evidence_sha256");
  if (!digest || !from_hex_exactly<32>(*digest)) return failed(id, "evidence_sha256 is not 64 hex characters");
  if (const auto devtools = event->find("devtools"); devtools != event->end() && *devtools != false) {
    return failed(id, "a GPU is in developer mode: its memory can be read", "devtools false", devtools->dump());
  }
  if (const auto mode = event->find("cc_mode"); mode != event->end() && *mode != "on") {
    return failed(id, "the GPUs are not in confidential mode", "cc_mode on", mode->dump());
  }
  if (!boot.evidence.gpu_info) return passed(id, lower(*digest), "the attestation's text was not served");
  return compared(id, lower(*digest), to_hex(crypto::sha256(as_bytes(*boot.evidence.gpu_info))),
                  "the GPU attestation that is served is not the one that was measured");
}

void add_compose_facts(const AppCompose& compose, const ComposeImages& images, Json& facts) {
  facts["app_name"] = compose.name;
  facts["app_runner"] = compose.runner;
  constexpr std::size_t kMostShown = 64;
  const auto shown = static_cast<std::ptrdiff_t>(std::min(compose.allowed_envs.size(), kMostShown));
  facts["app_allowed_envs"] = std::vector(compose.allowed_envs.begin(), compose.allowed_envs.begin() + shown);
  Json scripts = Json::array();
  if (compose.pre_launch_script) scripts.push_back("pre_launch_script");
  if (compose.init_script) scripts.push_back("init_script");
  if (compose.bash_script) scripts.push_back("bash_script");
  facts["app_scripts"] = std::move(scripts);
  facts["app_images_pinned"] = images.pinned;
  facts["app_images_not_pinned"] = images.loose;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += (out.empty() ? "" : "; ") + line;
  return out;
}

// Only a measured compose text says what runs.
Check check_images(const BootCase& boot, const Check& compose_hash, Json& facts) {
  const std::string id = "boot.images";
  const bool required = boot.policy.require_pinned_images;
  const auto unread = [&](const std::string& why) { return required ? skipped(id, why) : not_applicable(id, why); };
  if (!boot.evidence.app_compose) return unread("the compose text was not served");
  if (compose_hash.state != State::kPass) return unread("the compose text is not proven to be the measured one");
  const Result<AppCompose> compose = parse_app_compose(*boot.evidence.app_compose);
  if (!compose) return required ? failed(id, compose.error().message) : unread(compose.error().message);
  // Another runner starts things that this parser does not check.
  if (required && compose->runner != kComposeRunner) {
    return skipped(id, "images of the runner `" + compose->runner.substr(0, 64) + "` are not read");
  }
  const ComposeImages images = read_compose_images(compose->docker_compose_file);
  add_compose_facts(*compose, images, facts);
  if (!images.loose.empty()) {
    const std::string found = joined(images.loose);
    if (required) return failed(id, "what runs is not fixed by the measurement", "name@sha256:<64 hex>", found);
    return not_applicable(id, "not pinned by digest, and the policy does not ask for it: " + found);
  }
  if (images.pinned == 0) return not_applicable(id, "the compose text names no container image");
  return passed(id, std::to_string(images.pinned) + " pinned by digest");
}

// The key of the measured key provider, where chains can lead to it. dstack's KMS is measured by a key on another curve.
std::optional<ByteArray<33>> measured_root(const BootLog& log) {
  const auto provider = key_provider_of(log);
  if (!provider) return std::nullopt;
  const auto point = crypto::parse_secp256k1_public_key(provider->id);
  if (!point) return std::nullopt;
  return crypto::compress_secp256k1(*point);
}

Check check_kms_custody(const BootCase& boot) {
  const std::string id = "boot.kms_custody";
  const std::set<Bytes>& roots = boot.policy.kms_root_keys;
  if (!boot.evidence.key_custody) {
    if (roots.empty()) return not_applicable(id, "no chain of key custody is served");
    return skipped(id, "no chain of key custody is served, and the policy names the roots it must lead to");
  }
  if (boot.log.present && !boot.log.authentic) return skipped(id, "the event log is not authentic");
  const auto app_id = boot.log.payload("app-id");
  if (!app_id) {
    const std::string reason = "no event log proves the app id that the chain is about";
    return roots.empty() ? not_applicable(id, reason) : skipped(id, reason);
  }
  const Result<KmsChain> chain = check_key_custody(*boot.evidence.key_custody, *app_id);
  if (!chain) return failed(id, chain.error().message);
  const std::string root = to_hex(chain->root_key);
  const auto provider = measured_root(boot.log);
  if (provider && *provider != chain->root_key) {
    return failed(
        id, "the chains lead to another root than the key provider that was measured, or are about another application",
        to_hex(*provider), root);
  }
  if (roots.empty() && provider && boot.simulated)
    return passed(id, root, "the key provider that the simulated machine measured");
  if (roots.empty()) return not_applicable(id, "the policy names no KMS root; these chains lead to " + root);
  if (roots.contains(to_bytes(chain->root_key))) {
    return passed(id, root, std::to_string(boot.evidence.key_custody->size()) + " keys");
  }
  std::string expected;
  for (const Bytes& one : roots) expected += (expected.empty() ? "" : " or ") + to_hex(one);
  return failed(id, "the chains lead to another root", expected, root);
}

}  // namespace

void check_boot_claims(const BootCase& boot, Verdict& verdict) {
  verdict.add(check_tcb_info(boot));
  verdict.add(check_vm_config(boot));
  verdict.add(check_gpu_attestation(boot));
  check_system_events(boot, *verdict.find("boot.compose_hash"), verdict);
  verdict.add(check_images(boot, *verdict.find("boot.compose_hash"), verdict.facts));
  verdict.add(check_kms_custody(boot));
}

}  // namespace cloister::verify
