#include "config/policy_document.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "base/encoding.h"
#include "codec/jcs.h"
#include "config/option.h"
#include "evidence/key_configuration.h"

namespace cloister::config {
namespace {

PolicySurroundings simulated() {
  PolicySurroundings out;
  out.tee_type = out.gpu_evidence_type = "insecure_simulator";
  return out;
}

Json document(const ServeOptions& options, const PolicySurroundings& around = simulated()) {
  const auto made = policy_document(options, around);
  EXPECT_TRUE(made) << made.error().message;
  return *made;
}

std::string canonical(Json document) {
  document["build"]["version"] = "0.1.0";
  return *codec::write_jcs(document);
}

ServeOptions echo() {
  ServeOptions options;
  options.engine = "echo";
  options.listen = "127.0.0.1:0";
  return options;
}

// The three texts are what version 0.1.0 answered at GET /v1/cloister/policy before the document was made from the table of options. Another
// text is another digest, which the verifiers of a running node do not know.
TEST(PolicyDocument, OfAPlainNodeIsTheSameForever) {
  EXPECT_EQ(
      canonical(document(echo())),
      R"json({"build":{"executable":null,"version":"0.1.0"},"engine":{"cache_salt":"auto","kind":"echo","known_answers":false,"serving":"direct","shared_prompt_cache":true,"upstream_token":false,"upstreams":[]},"gpu":{"check_seconds":300,"evidence":"insecure_simulator","library":null,"manifests":false,"policy":null,"required":false},"key_configuration":"sha256:696813078d986f31c60931fef86d3fdd1a14c0b9e482e5645c2f96481d628958","keyset":{"days":30},"limits":{"body_bytes":10485760,"grace_seconds":10,"reports_at_once":"60","reports_local_minute":"600","reports_per_client_minute":"60","upstream_connect_seconds":5,"upstream_first_byte_seconds":600,"upstream_idle_seconds":120},"listen":{"address":"127.0.0.1","cors_origins":[],"port":0,"tls":"none","token_required":false},"logging":{"content":"never","format":"text","level":"info"},"receipts":{"age_s":2592000,"bytes":4294967296,"event_hash_age_s":86400,"on_store_failure":"refuse","store":"sqlite","survive":"kill"},"replicas":0,"schema":"cloister.policy.v1","signing":true,"tee":"insecure_simulator"})json");
}

TEST(PolicyDocument, OfAnUnsignedNodeIsTheSameForever) {
  ServeOptions options = echo();
  options.signing = "off";
  options.serving = "aggregator";
  options.api_key_file = "tokens";
  options.receipts_survive = "power";
  EXPECT_EQ(
      canonical(document(options)),
      R"json({"build":{"executable":null,"version":"0.1.0"},"engine":{"cache_salt":"auto","kind":"echo","known_answers":false,"serving":"aggregator","shared_prompt_cache":false,"upstream_token":false,"upstreams":[]},"gpu":{"check_seconds":300,"evidence":"insecure_simulator","library":null,"manifests":false,"policy":null,"required":false},"key_configuration":"sha256:c7eacbc3df2dbee31950154221be31585edcf0b3b34ad5be927fedf405d9e30b","keyset":{"days":30},"limits":{"body_bytes":10485760,"grace_seconds":10,"reports_at_once":"60","reports_local_minute":"600","reports_per_client_minute":"60","upstream_connect_seconds":5,"upstream_first_byte_seconds":600,"upstream_idle_seconds":120},"listen":{"address":"127.0.0.1","cors_origins":["*"],"port":0,"tls":"none","token_required":true},"logging":{"content":"never","format":"text","level":"info"},"receipts":null,"replicas":0,"schema":"cloister.policy.v1","signing":false,"tee":"insecure_simulator"})json");
}

TEST(PolicyDocument, OfManyOptionsIsTheSameForever) {
  ServeOptions o;
  o.listen = "127.0.0.1:0";
  o.upstreams = {"http://127.0.0.1:9", "unix:/tmp/og/x.sock"};
  o.upstream_key_file = "ukey";
  o.cache_salt = "on";
  o.gpu_check_seconds = 7;
  o.rim_dir = "rims";
  o.api_key_file = "tokens";
  o.share_prompt_cache = true;
  o.tls = "self-signed";
  o.cors_origins = {"https://a.example"};
  o.report_rate = 0.5;
  o.report_burst = 2.5;
  o.report_rate_local = 0;
  o.keyset_days = 3;
  o.replicas = {"http://127.0.0.1:1"};
  o.max_body_bytes = 2048;
  o.upstream_timeout_s = 11;
  o.upstream_idle_timeout_s = 12;
  o.upstream_connect_timeout_s = 1;
  o.log_level = "warn";
  o.log_format = "json";
  o.receipts = "memory";
  o.receipt_days = 2;
  o.receipt_bytes = "16M";
  o.prefix_proof_hours = 0;
  o.grace_seconds = 3;
  o.on_store_failure = "serve";
  PolicySurroundings around = simulated();
  around.gpu_gate = true;
  around.gpu_policy =
      ByteArray<32>{0x93, 0xe6, 0xe2, 0x1b, 0xcf, 0x08, 0xfe, 0xc6, 0xb1, 0x3d, 0x6f, 0x27, 0x99, 0x80, 0x13, 0xdc,
                    0xbc, 0x57, 0x5d, 0xad, 0x16, 0x1b, 0x73, 0xa4, 0x5e, 0x19, 0x7d, 0x92, 0x12, 0x33, 0x9e, 0x5c};
  EXPECT_EQ(
      canonical(document(o, around)),
      R"json({"build":{"executable":null,"version":"0.1.0"},"engine":{"cache_salt":"on","kind":"upstream","known_answers":false,"serving":"direct","shared_prompt_cache":true,"upstream_token":true,"upstreams":["http://localhost","unix:"]},"gpu":{"check_seconds":7,"evidence":"insecure_simulator","library":null,"manifests":true,"policy":"sha256:93e6e21bcf08fec6b13d6f27998013dcbc575dad161b73a45e197d9212339e5c","required":true},"key_configuration":"sha256:5be9ba9b9ecd79aced4bd66acc77830a152b48c0b5ca11d15590c339b9c5f7cf","keyset":{"days":3},"limits":{"body_bytes":2048,"grace_seconds":3,"reports_at_once":"2.5","reports_local_minute":"0","reports_per_client_minute":"0.5","upstream_connect_seconds":1,"upstream_first_byte_seconds":11,"upstream_idle_seconds":12},"listen":{"address":"127.0.0.1","cors_origins":["https://a.example"],"port":0,"tls":"self-signed","token_required":true},"logging":{"content":"never","format":"json","level":"warn"},"receipts":{"age_s":172800,"bytes":16777216,"event_hash_age_s":0,"on_store_failure":"serve","store":"memory","survive":"kill"},"replicas":1,"schema":"cloister.policy.v1","signing":true,"tee":"insecure_simulator"})json");
}

TEST(PolicyDocument, KeepsTheOrderInWhichReportsShowIt) {
  const Json made = document(echo());
  std::string names;
  for (const auto& [name, value] : made.items()) names += name + " ";
  EXPECT_EQ(names,
            "schema build listen engine tee gpu limits logging keyset replicas signing receipts key_configuration ");
}

void expect_tame(const Json& value) {
  if (value.is_structured()) {
    for (const auto& [name, member] : value.items()) expect_tame(member);
    return;
  }
  EXPECT_FALSE(value.is_number_float()) << value;
  if (!value.is_string()) return;
  for (const char c : value.get<std::string>()) EXPECT_TRUE(c >= ' ' && c <= '~') << value;
}

TEST(PolicyDocument, HoldsWholeNumbersAndAsciiOnly) {
  ServeOptions wild = echo();
  wild.cors_origins = {"http://h\xc3\xb6st:1", "http://a\n%b"};
  wild.report_burst = 0.5;
  const Json made = document(wild);
  expect_tame(made);
  EXPECT_EQ(made["listen"]["cors_origins"], Json::array({"http://h%C3%B6st:1", "http://a%0A%25b"}));
  EXPECT_EQ(made["limits"]["reports_per_client_minute"], "60");
  EXPECT_EQ(made["limits"]["reports_at_once"], "0.5");
  EXPECT_EQ(made["logging"]["content"], "never");
  ASSERT_TRUE(codec::write_jcs(made));
}

TEST(PolicyDocument, HidesAddressesOfANetwork) {
  ServeOptions options;
  options.upstreams = {"http://10.1.2.3:80", "http://vllm:8000",   "http://vllm.internal:8000",
                       "http://[::1]:1",     "http://127.9.9.9:1", "nonsense"};
  EXPECT_EQ(document(options)["engine"]["upstreams"],
            Json::array({"http://private", "http://vllm:8000", "http://private", "http://localhost", "http://localhost",
                         "http://private"}));
}

TEST(PolicyDocument, IsNotMadeOfOptionsWithoutMeaning) {
  ServeOptions options = echo();
  options.listen = "nowhere";
  EXPECT_EQ(policy_document(options, simulated()).error().code, ErrorCode::kUsage);
}

using Leaves = std::map<std::string, Json>;

// The members by path, without the digest of the keys' configuration, which follows from them.
Leaves leaves(const Json& value, const std::string& path = "") {
  if (!value.is_object()) return {{path, value}};
  Leaves out;
  for (const auto& [name, member] : value.items()) {
    if (name != evidence::kKeyConfigurationMember) out.merge(leaves(member, path.empty() ? name : path + "." + name));
  }
  return out;
}

std::set<std::string> changed(const Json& a, const Json& b) {
  Leaves left = leaves(a), right = leaves(b);
  std::set<std::string> out;
  for (const auto* one : {&left, &right}) {
    const auto& other = one == &left ? right : left;
    for (const auto& [path, value] : *one) {
      if (!other.contains(path) || other.at(path) != value) out.insert(path);
    }
  }
  return out;
}

// True where `path` is one of the members, or inside of one.
bool is_named(const std::string& path, std::string_view members) {
  for (const std::string_view member : words_of(members)) {
    if (path == member || path.starts_with(std::string(member) + ".")) return true;
  }
  return false;
}

// The options with other values of this one.
std::vector<ServeOptions> variants(const Option& option, const ServeOptions& base) {
  std::vector<ServeOptions> out;
  const auto add = [&](auto member, auto value) {
    ServeOptions variant = base;
    variant.*member = std::move(value);
    out.push_back(std::move(variant));
  };
  if (option.values.kind == Values::Kind::kWord) {
    for (const std::string_view word : words_of(option.values.words)) {
      add(std::get<std::string ServeOptions::*>(option.member), std::string(word));
    }
    return out;
  }
  std::visit(
      [&](auto member) {
        using Value = std::remove_cvref_t<decltype(base.*member)>;
        if constexpr (std::is_same_v<Value, std::string>) {
          const bool size = option.values.kind == Values::Kind::kSize;
          add(member, std::string(option.name == "listen" ? "0.0.0.0:1" : size ? "1G" : "something"));
        } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
          add(member, Value{"http://10.0.0.1:1"});
        } else if constexpr (std::is_same_v<Value, bool>) {
          add(member, !(base.*member));
        } else {
          add(member, static_cast<Value>(base.*member + 1));
        }
      },
      option.member);
  return out;
}

// Configurations in which one option or another has an effect. In each, an engine is named or follows from other options than --model.
std::vector<ServeOptions> bases() {
  ServeOptions llama;
  llama.model_path = "model.gguf";
  ServeOptions tenants = llama;
  tenants.api_key_file = "tokens";
  ServeOptions elsewhere;
  elsewhere.upstreams = {"http://192.168.0.1:1"};
  return {llama, tenants, elsewhere};
}

TEST(PolicyDocument, ChangesWithAnOptionAsItsRowSays) {
  for (const Option& option : serve_option_table()) {
    std::set<std::string> moved;
    for (const ServeOptions& base : bases()) {
      for (const ServeOptions& variant : variants(option, base))
        moved.merge(changed(document(base), document(variant)));
    }
    const bool follows = option.policy.kind == InPolicy::Kind::kValue || option.policy.kind == InPolicy::Kind::kEffect;
    if (!follows) {
      EXPECT_EQ(moved, std::set<std::string>())
          << option.name << ": its row says that the document does not follow from it";
      continue;
    }
    for (const std::string& path : moved) {
      EXPECT_TRUE(is_named(path, option.policy.text))
          << option.name << " changes " << path << ", which its row does not name";
    }
    for (const std::string_view member : words_of(option.policy.text)) {
      const bool found =
          std::any_of(moved.begin(), moved.end(), [&](const std::string& path) { return is_named(path, member); });
      EXPECT_TRUE(found) << option.name << " does not change " << member << ", which its row names";
    }
  }
}

TEST(PolicyDocument, ChangesWithWhatTheNodeFinds) {
  struct Case {
    const char* member;
    std::function<void(PolicySurroundings&)> change;
  };
  const Case cases[] = {
      {"build.executable", [](PolicySurroundings& a) { a.executable = ByteArray<32>{1}; }},
      {"tee", [](PolicySurroundings& a) { a.tee_type = "tdx"; }},
      {"gpu.evidence", [](PolicySurroundings& a) { a.gpu_evidence_type = "nvml"; }},
      {"gpu.required", [](PolicySurroundings& a) { a.gpu_gate = true; }},
      {"gpu.policy", [](PolicySurroundings& a) { a.gpu_policy = ByteArray<32>{1}; }},
      {"gpu.library", [](PolicySurroundings& a) { a.gpu_library = ByteArray<32>{1}; }},
      {"engine.known_answers", [](PolicySurroundings& a) { a.known_answers = true; }},
  };
  std::set<std::string> all;
  for (const Case& one : cases) {
    PolicySurroundings around = simulated();
    one.change(around);
    EXPECT_EQ(changed(document(echo()), document(echo(), around)), std::set<std::string>{one.member});
    all.insert(one.member);
  }
  // Each member has a source: it is constant, found on the machine, or a row of the table says that it follows from the option.
  all.merge(std::set<std::string>{"schema", "build.version", "logging.content"});
  for (const Option& option : serve_option_table()) {
    if (option.policy.kind == InPolicy::Kind::kUnstated) continue;
    for (const std::string_view path : words_of(option.policy.text)) {
      if (option.policy.kind == InPolicy::Kind::kFound) EXPECT_TRUE(all.contains(std::string(path))) << option.name;
      all.insert(std::string(path));
    }
  }
  for (const auto& [path, value] : leaves(document(echo()))) EXPECT_TRUE(all.contains(path)) << path;
}

TEST(PolicyDocument, NamesTheConfigurationOfTheKeys) {
  const Json made = document(echo());
  const auto digest = key_configuration_digest(echo(), simulated());
  ASSERT_TRUE(digest);
  EXPECT_EQ(made[std::string(evidence::kKeyConfigurationMember)], "sha256:" + to_hex(*digest));
  EXPECT_EQ(*evidence::key_configuration_digest(made), *digest);
}

}  // namespace
}  // namespace cloister::config
