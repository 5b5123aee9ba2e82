#include "config/policy_document.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <type_traits>

#include "config/effects.h"
#include "config/listen_address.h"
#include "config/option.h"
#include "config/receipt_settings.h"
#include "evidence/json_reader.h"
#include "evidence/key_configuration.h"

namespace cloister::config {
namespace {

// Keeps ASCII unchanged; every other byte, and '%', becomes %XX.
std::string ascii(std::string_view text) {
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

// What the members are made from.
struct Facts {
  const ServeOptions& options;
  const PolicySurroundings& around;
  ListenAddress listen;
  store::StoreOptions store;
};

Json receipts(const Facts& facts) {
  if (facts.options.signing != "on") return nullptr;
  return {{"store", facts.options.receipts},
          {"survive", facts.options.receipts_survive},
          {"on_store_failure", facts.options.on_store_failure},
          {"age_s", facts.store.limits.receipt_age_s},
          {"bytes", facts.store.limits.bytes},
          {"event_hash_age_s", facts.store.limits.event_hash_age_s}};
}

Json upstreams(const Facts& facts) {
  std::vector<std::string> out;
  for (const std::string& url : facts.options.upstreams) out.push_back(place_of_upstream(url));
  return list(out);
}

struct PolicyMember {
  std::string_view path;
  Json (*value)(const Facts& facts);  // null: the value of the option whose row names the path
};

// In the order of the document.
constexpr PolicyMember kMembers[] = {
    {"schema", [](const Facts&) -> Json { return "cloister.policy.v1"; }},
    {"build.executable", [](const Facts& f) { return digest_or_null(f.around.executable); }},
    {"build.version", [](const Facts&) -> Json { return ascii(CLOISTER_VERSION); }},
    {"listen.address", [](const Facts& f) -> Json { return ascii(f.listen.address); }},
    {"listen.cors_origins", [](const Facts& f) { return list(cors_origins(f.options)); }},
    {"listen.port", [](const Facts& f) -> Json { return f.listen.port; }},
    {"listen.tls", [](const Facts& f) -> Json { return ascii(tls_mode(f.options)); }},
    {"listen.token_required", [](const Facts& f) -> Json { return needs_token(f.options); }},
    {"engine.cache_salt", nullptr},
    {"engine.kind", [](const Facts& f) -> Json { return ascii(engine_kind(f.options)); }},
    {"engine.known_answers", [](const Facts& f) -> Json { return f.around.known_answers; }},
    {"engine.serving", [](const Facts& f) -> Json { return serves_itself(f.options) ? "direct" : "aggregator"; }},
    {"engine.shared_prompt_cache", [](const Facts& f) -> Json { return shares_prompt_cache(f.options); }},
    {"engine.upstream_token", [](const Facts& f) -> Json { return !f.options.upstream_key_file.empty(); }},
    {"engine.upstreams", upstreams},
    {"tee", [](const Facts& f) -> Json { return ascii(f.around.tee_type); }},
    {"gpu.check_seconds", nullptr},
    {"gpu.evidence", [](const Facts& f) -> Json { return ascii(f.around.gpu_evidence_type); }},
    {"gpu.library", [](const Facts& f) { return digest_or_null(f.around.gpu_library); }},
    {"gpu.manifests", [](const Facts& f) -> Json { return !f.options.rim_dir.empty(); }},
    {"gpu.policy", [](const Facts& f) { return digest_or_null(f.around.gpu_policy); }},
    {"gpu.required", [](const Facts& f) -> Json { return f.around.gpu_gate; }},
    {"limits.body_bytes", nullptr},
    {"limits.grace_seconds", nullptr},
    {"limits.reports_at_once", nullptr},
    {"limits.reports_local_minute", nullptr},
    {"limits.reports_per_client_minute", nullptr},
    {"limits.upstream_connect_seconds", nullptr},
    {"limits.upstream_first_byte_seconds", nullptr},
    {"limits.upstream_idle_seconds", nullptr},
    // This program has no way to log prompts or replies.
    {"logging.content", [](const Facts&) -> Json { return "never"; }},
    {"logging.format", nullptr},
    {"logging.level", nullptr},
    {"keyset.days", nullptr},
    {"replicas", [](const Facts& f) -> Json { return f.options.replicas.size(); }},
    {"signing", [](const Facts& f) -> Json { return f.options.signing == "on"; }},
    {"receipts", receipts},
};

constexpr auto kPaths = [] {
  std::array<std::string_view, std::size(kMembers)> out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = kMembers[i].path;
  return out;
}();

Json value_in_document(const Option& option, const ServeOptions& options) {
  return std::visit(
      [&](auto member) -> Json {
        const auto& value = options.*member;
        using Value = std::remove_cvref_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::string>)
          return ascii(value);
        else if constexpr (std::is_same_v<Value, std::vector<std::string>>)
          return list(value);
        else if constexpr (std::is_same_v<Value, double>)
          return decimal(value);
        else
          return value;
      },
      option.member);
}

// The row whose value the member is. A member without a row would be a mistake in the two tables, which policy_document_test.cc finds.
Json value_of_row(std::string_view path, const ServeOptions& options) {
  const auto rows = serve_option_table();
  const auto row = std::ranges::find_if(rows, [&](const Option& option) {
    return option.policy.kind == InPolicy::Kind::kValue && option.policy.text == path;
  });
  return row == rows.end() ? Json(nullptr) : value_in_document(*row, options);
}

}  // namespace

Result<Json> policy_document(const ServeOptions& options, const PolicySurroundings& around) {
  TRY(listen, parse_listen(options.listen));
  TRY(store, receipt_store_options(options));
  const Facts facts{options, around, std::move(listen), std::move(store)};
  Json out;
  for (const PolicyMember& member : kMembers) {
    const std::size_t dot = member.path.find('.');
    Json& place = dot == std::string_view::npos
                      ? out[std::string(member.path)]
                      : out[std::string(member.path.substr(0, dot))][std::string(member.path.substr(dot + 1))];
    place = member.value != nullptr ? member.value(facts) : value_of_row(member.path, options);
  }
  TRY(configuration, evidence::key_configuration_digest(out));
  out[std::string(evidence::kKeyConfigurationMember)] = evidence::digest_text(configuration);
  return out;
}

Result<ByteArray<32>> key_configuration_digest(const ServeOptions& options, const PolicySurroundings& around) {
  TRY(policy, policy_document(options, around));
  return evidence::key_configuration_digest(policy);
}

std::span<const std::string_view> policy_member_paths() { return kPaths; }

}  // namespace cloister::config
