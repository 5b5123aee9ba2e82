#include "identity/policy_document.h"

#include <array>
#include <charconv>

#include "evidence/json_reader.h"
#include "evidence/key_configuration.h"
#include "evidence/native_report.h"
#include "identity/measured_event.h"

namespace cloister::identity {
namespace {

// Keeps ASCII unchanged; every other byte, and '%', becomes %XX.
std::string ascii(const std::string& text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && c != '%') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

Json list(const std::vector<std::string>& texts) {
  Json out = Json::array();
  for (const std::string& text : texts) out.push_back(ascii(text));
  return out;
}

// The shortest text that parses to the same number, since fractions have no place among whole numbers.
std::string decimal(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end.ptr};
}

Json digest_or_null(const std::optional<ByteArray<32>>& digest) {
  return digest ? Json(evidence::digest_text(*digest)) : Json(nullptr);
}

Json limits(const PolicyFacts& facts) {
  return {{"body_bytes", facts.body_bytes},
          {"grace_seconds", facts.grace_s},
          {"reports_at_once", decimal(facts.reports_at_once)},
          {"reports_local_minute", decimal(facts.reports_local_minute)},
          {"reports_per_client_minute", decimal(facts.reports_per_client_minute)},
          {"upstream_connect_seconds", facts.upstream_connect_s},
          {"upstream_first_byte_seconds", facts.upstream_first_byte_s},
          {"upstream_idle_seconds", facts.upstream_idle_s}};
}

Json gpu(const PolicyFacts& facts) {
  return {{"check_seconds", facts.gpu_check_seconds},     {"evidence", ascii(facts.gpu_evidence)},
          {"library", digest_or_null(facts.gpu_library)}, {"manifests", facts.gpu_manifests},
          {"policy", digest_or_null(facts.gpu_policy)},   {"required", facts.gpu_gate}};
}

}  // namespace

Json policy_document(const PolicyFacts& facts) {
  Json out = {
      {"schema", "cloister.policy.v1"},
      {"build", {{"executable", digest_or_null(facts.executable)}, {"version", ascii(facts.version)}}},
      {"listen",
       {{"address", ascii(facts.listen_address)},
        {"cors_origins", list(facts.cors_origins)},
        {"port", facts.listen_port},
        {"tls", ascii(facts.tls)},
        {"token_required", facts.token_required}}},
      {"engine",
       {{"cache_salt", ascii(facts.cache_salt)},
        {"kind", ascii(facts.engine)},
        {"known_answers", facts.known_answers},
        {"serving", facts.serves_itself ? "direct" : "aggregator"},
        {"shared_prompt_cache", facts.shared_prompt_cache},
        {"upstream_token", facts.upstream_token},
        {"upstreams", list(facts.upstreams)}}},
      {"tee", ascii(facts.tee)},
      {"gpu", gpu(facts)},
      {"limits", limits(facts)},
      {"logging", {{"content", "never"}, {"format", ascii(facts.log_format)}, {"level", ascii(facts.log_level)}}},
      {"keyset", {{"days", facts.keyset_days}}},
      {"replicas", facts.replicas},
      {"signing", facts.signing},
      {"receipts", facts.receipts},
  };
  // Its texts are ASCII, so that there is a canonical form.
  out[evidence::kKeyConfigurationMember] = evidence::digest_text(evidence::key_configuration_digest(out).value());
  return out;
}

Result<void> enter_policy(const Json& policy, tee::Tee* tee, Identity& identity) {
  TRY(configuration, evidence::key_configuration_digest(policy));
  if (configuration != identity.key_configuration()) {
    return fail(
        ErrorCode::kUsage,
        "the node's keys belong to another configuration of engine, GPUs, listener, TEE or signing: start the node again");
  }
  TRY(digest, evidence::document_digest(policy));
  if (tee != nullptr) TRY_VOID(measure_event(*tee, kPolicyEvent, digest));
  return identity.set_policy(policy);
}

}  // namespace cloister::identity
