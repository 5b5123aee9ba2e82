#include "verify/policy/policy_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "verify/policy/toml_syntax.h"

namespace cloister::verify {
namespace {

Policy read(const std::string& text) {
  Result<Policy> policy = parse_policy(text);
  EXPECT_TRUE(policy.has_value()) << (policy ? "" : policy.error().message);
  return policy ? *policy : Policy{};
}

std::string complaint(const std::string& text) {
  Result<Policy> policy = parse_policy(text);
  EXPECT_FALSE(policy.has_value()) << text;
  return policy ? "" : policy.error().message;
}

std::vector<TomlEntry> entries(std::string_view text) {
  return std::get<std::vector<TomlEntry>>(read_toml_entries(text));
}

TEST(TomlSyntax, NamesTheLineOfAFault) {
  EXPECT_TRUE(entries("").empty());
  EXPECT_FALSE(entries(kDefaultPolicyText).empty());
  const std::pair<const char*, std::size_t> cases[] = {
      {"[serve]\nlisten = 127.0.0.1:8081\n", 2},
      {"a = 1\n\nb = \"x\n", 3},
      {"a = 1\na = 2\n", 2},
      {"a = 2026-01-01\n", 1},
      {"b = 1\na = 10:00:00\n", 2},
      {"[[serve]]\na = 1\n", 1},
      {"a = [1, [2]]\n", 1},
      {"a = [{b = 1}]\n", 1},
      {"[serve]\n[serve]\n", 2},
  };
  for (const auto& [text, line] : cases) {
    const auto read = read_toml_entries(text);
    ASSERT_TRUE(std::holds_alternative<TomlFault>(read)) << text;
    EXPECT_EQ(std::get<TomlFault>(read).line, line) << text << std::get<TomlFault>(read).message;
  }
}

TEST(TomlSyntax, GivesWhatStandsThere) {
  const auto all = entries(
      "[verify.proof]\naccept-simulator = true\n[serve]  # x\nmodel-id = \"x#y\\u0074\\\\\"\norigins = [\n \"a\",\n \"b\" ]\n"
      "rate = 0.5\nport = -8_0\nlit = '[a,b]'\nempty = []\n");
  const auto find = [&all](const std::string& name) {
    return *std::ranges::find_if(all, [&](const TomlEntry& one) { return one.name == name; });
  };
  EXPECT_EQ(all.front().name, "");
  EXPECT_EQ(all.front().tables, std::vector<std::string>{"serve"});
  EXPECT_EQ(find("accept-simulator").tables, (std::vector<std::string>{"verify", "proof"}));
  EXPECT_TRUE(find("accept-simulator").is_boolean);
  EXPECT_EQ(find("model-id").values, std::vector<std::string>{"x#yt\\"});
  EXPECT_EQ(find("origins").values, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(find("rate").values, std::vector<std::string>{"0.5"});
  EXPECT_EQ(find("port").values, std::vector<std::string>{"-80"});
  EXPECT_EQ(find("lit").values, std::vector<std::string>{"[a,b]"});
  EXPECT_TRUE(find("empty").values.empty());
}

TEST(PolicyFile, TheDefaultFileIsTheDefaultPolicy) { EXPECT_EQ(read(std::string(kDefaultPolicyText)), Policy{}); }

// A file that could not be read, or lost its content, must not count as the default policy.
TEST(PolicyFile, AFileThatSetsNothingIsRefused) {
  for (const char* empty :
       {"", "\n", "# accept_simulator = true\n", "[boot]\n", "[tdx]\n[nvidia]\n# gpu_count = 8\n"}) {
    EXPECT_NE(complaint(empty).find("sets nothing"), std::string::npos) << empty;
  }
  EXPECT_EQ(read("require_nonce = true"), Policy{});
}

TEST(PolicyFile, RegistersOfATpm) {
  const std::string a(64, 'a'), b(64, 'b');
  const auto words = [](const std::string& list) { return "[tpm]\npcrs = [" + list + "]\n"; };
  const Policy policy = read(words("\"7:" + a + "\", \"7:" + b + "\", \"23:" + a + "\""));
  EXPECT_EQ(policy.tpm.pcrs, (std::map<std::uint32_t, std::set<Bytes>>{{7, {Bytes(32, 0xaa), Bytes(32, 0xbb)}},
                                                                       {23, {Bytes(32, 0xaa)}}}));
  for (const std::string& wrong : {"24:" + a, "07:" + a, "7:" + a + "a", "7:" + a + "aa", ":" + a, "7" + a, "x:" + a,
                                   "-1:" + a, "7:" + std::string(64, 'x'), a}) {
    EXPECT_NE(complaint(words("\"" + wrong + "\"")).find("tpm.pcrs"), std::string::npos) << wrong;
  }
}

TEST(PolicyFile, ReadsEveryKindOfValue) {
  const std::string zeros(96, '0');
  const Policy policy =
      read("accept_simulator = true\n"
           "[tdx]\naccepted_tcb_statuses = [\"UpToDate\", \"SWHardeningNeeded\"]\n"
           "allowed_advisories = []\nmin_tcb_date = 2024-03-13T00:00:00Z\nout_of_date_grace_days = 30\n"
           "[boot]\nmr_td = [\"" +
           zeros +
           "\"]\n"
           "[nvidia]\nrequired = \"always\"\ngpu_count = 8\nmin_driver_version = \"550.90.07\"\n"
           "[snp]\nmin_snp = 255\nmin_tee = 0\nid_key_digests = [\"" +
           zeros +
           "\"]\n"
           "[service]\naccept_upstream_claims = true\nmax_keyset_days = 30\nmodel_digests = [\"" +
           std::string(64, 'a') +
           "\"]\nrequire_known_answers = true\nmax_known_answers_age_minutes = 0\n"
           "known_answer_digests = [\"" +
           std::string(64, 'b') + "\"]\n");
  EXPECT_TRUE(policy.service.require_known_answers);
  EXPECT_EQ(policy.service.max_known_answers_age_minutes, 0u);
  EXPECT_EQ(policy.service.known_answer_digests, std::set<Bytes>{Bytes(32, 0xbb)});
  EXPECT_TRUE(policy.service.accept_upstream_claims);
  EXPECT_EQ(policy.service.max_keyset_days, 30u);
  EXPECT_EQ(policy.service.model_digests, std::set<Bytes>{Bytes(32, 0xaa)});
  EXPECT_TRUE(policy.accept_simulator);
  EXPECT_EQ(policy.tdx.accepted_tcb_statuses, (std::set<std::string>{"UpToDate", "SWHardeningNeeded"}));
  ASSERT_TRUE(policy.tdx.allowed_advisories.has_value()) << "an empty list is not the same as none";
  EXPECT_EQ(policy.tdx.min_tcb_date, 1710288000);
  EXPECT_EQ(policy.tdx.out_of_date_grace_days, 30u);
  EXPECT_EQ(policy.boot.mr_td, std::set<Bytes>{Bytes(48)});
  EXPECT_EQ(policy.nvidia.required, GpuRequirement::kAlways);
  EXPECT_EQ(policy.nvidia.gpu_count, 8u);
  EXPECT_EQ(policy.nvidia.min_driver_version, "550.90.07");
  EXPECT_EQ(policy.snp.min_snp, 255);
  EXPECT_EQ(policy.snp.min_tee, 0) << "0 is not the same as none";
  EXPECT_FALSE(policy.snp.min_microcode.has_value());
  EXPECT_EQ(policy.snp.id_key_digests, std::set<Bytes>{Bytes(48)});
}

TEST(PolicyFile, ReadsTheKindsOfTeeAndExactValues) {
  const Policy policy = read("tee_kinds = [\"sev_snp\"]\nreport_data = [\"" + std::string(128, '1') +
                             "\"]\n"
                             "[tdx]\nfmspcs = [\"B0C06F000000\"]\ntd_attributes = [\"0000001000000000\"]\n"
                             "mr_seam = [\"" +
                             std::string(96, '2') + "\"]\nmr_config_id = [\"" + std::string(96, '3') +
                             "\"]\n"
                             "min_tee_tcb_svn = \"07010300000000000000000000000000\"\n");
  EXPECT_EQ(policy.tee_kinds, std::set<std::string>{"sev_snp"});
  EXPECT_EQ(policy.report_data, std::set<Bytes>{Bytes(64, 0x11)});
  EXPECT_EQ(policy.tdx.fmspcs, (std::set<Bytes>{{0xb0, 0xc0, 0x6f, 0, 0, 0}}));
  EXPECT_EQ(policy.tdx.td_attributes, (std::set<Bytes>{{0, 0, 0, 0x10, 0, 0, 0, 0}}));
  EXPECT_EQ(policy.tdx.mr_seam, std::set<Bytes>{Bytes(48, 0x22)});
  EXPECT_EQ(policy.tdx.mr_config_id, std::set<Bytes>{Bytes(48, 0x33)});
  EXPECT_EQ(policy.tdx.min_tee_tcb_svn->size(), 16u);
  EXPECT_FALSE(read("require_nonce = true").tee_kinds.has_value());
}

TEST(PolicyFile, TimesMayBeStrings) {
  EXPECT_EQ(read("[tdx]\nmin_tcb_date = \"1970-01-02T00:00:00Z\"").tdx.min_tcb_date, 86400);
}

TEST(PolicyFile, RefusesWhatItDoesNotKnow) {
  struct Case {
    const char* text;
    const char* complaint;
  };
  const Case cases[] = {
      {"acept_simulator = true", "policy: unknown key acept_simulator (line 1)"},
      {"\n[tdx]\nmin_tcb = 1", "policy: unknown key tdx.min_tcb (line 3)"},
      {"[tdy]\n", "policy: unknown key tdy (line 1)"},
      {"tdx = 1", "policy: tdx must be a table: [tdx] (line 1)"},
      {"accept_simulator = 1", "policy: accept_simulator must be true or false (line 1)"},
      {"[tdx]\nallow_perfmon = \"false\"", "policy: tdx.allow_perfmon must be true or false (line 2)"},
      {"[tdx]\nout_of_date_grace_days = -1",
       "policy: tdx.out_of_date_grace_days must be a whole number from 0 to 4294967295 (line 2)"},
      {"[tdx]\nout_of_date_grace_days = 1.0",
       "policy: tdx.out_of_date_grace_days must be a whole number from 0 to 4294967295 (line 2)"},
      {"tee_kinds = [\"sgx\"]", "policy: tee_kinds cannot hold \"sgx\"; possible: sev_snp, tdx (line 1)"},
      {"[tdx]\nmin_tee_tcb_svn = \"07\"", "policy: tdx.min_tee_tcb_svn must be a string of 32 hex characters (line 2)"},
      {"[snp]\nmin_snp = 256", "policy: snp.min_snp must be a whole number from 0 to 255 (line 2)"},
      {"[tdx]\nmin_tcb_date = \"yesterday\"",
       "policy: tdx.min_tcb_date must be a time in UTC before 2100, like 2024-03-13T00:00:00Z (line 2)"},
      {"[tdx]\nmin_tcb_date = 2024-03-13",
       "policy: tdx.min_tcb_date must be a time in UTC before 2100, like 2024-03-13T00:00:00Z (line 2)"},
      {"[boot]\nmr_td = \"00\"", "policy: boot.mr_td must be a list of at most 4096 strings (line 2)"},
      {"[boot]\nmr_td = [\"00\"]", "policy: boot.mr_td must be a list of strings of 96 hex characters (line 2)"},
      {"[boot]\nmr_td = [1]", "policy: boot.mr_td must be a list of strings (line 2)"},
      {"[nvidia]\nrequired = \"maybe\"",
       "policy: nvidia.required must be one of \"when_present\", \"always\", \"never\" (line 2)"},
      {"[nvidia]\nnvlink = \"open\"",
       "policy: nvidia.nvlink must be one of \"any\", \"protected\", \"encrypted\" (line 2)"},
      {"[nvidia]\nnras_keys = [\"p384:00\"]",
       "policy: nvidia.nras_keys cannot hold \"p384:00\"; expected texts like p384:<192 hex of x and y>, not of zeros (line 2)"},
      {"[nvidia]\nmin_driver_version = 550", "policy: nvidia.min_driver_version must be a string (line 2)"},
      {"[nvidia]\narchitectures = [\"AMPERE\"]",
       "policy: nvidia.architectures cannot hold \"AMPERE\"; possible: BLACKWELL, HOPPER, LS10, RUBIN (line 2)"},
  };
  for (const Case& one : cases) EXPECT_EQ(complaint(one.text), one.complaint) << one.text;
}

TEST(PolicyFile, RefusesWordsThatCouldNeverMatch) {
  struct Case {
    const char* text;
    const char* complaint;
  };
  const Case cases[] = {
      {"tee_kinds = []", "policy: tee_kinds names no value, so nothing could ever match; leave the word out (line 1)"},
      {"tee_kinds = [\n\"tdx\",\n\"sev-snp\"]",
       "policy: tee_kinds cannot hold \"sev-snp\"; possible: sev_snp, tdx (line 3)"},
      {"[tdx]\naccepted_tcb_statuses = []",
       "policy: tdx.accepted_tcb_statuses names no value, so nothing could ever match; leave the word out (line 2)"},
      {"[nvidia]\narchitectures = []",
       "policy: nvidia.architectures names no value, so nothing could ever match; leave the word out (line 2)"},
      {"[nvidia]\nmin_driver_version = \"latest\"",
       "policy: nvidia.min_driver_version must be a version like \"550.90.07\", or \"\" for any (line 2)"},
      {"[nvidia]\nmin_vbios_version = \"96.00.XY\"",
       "policy: nvidia.min_vbios_version must be a version like \"96.00.9F.00.00\", or \"\" for any (line 2)"},
      {"[boot]\nkey_providers = [\"foo\"]",
       "policy: boot.key_providers cannot hold \"foo\"; expected texts like kms:<hex public key> or local-sgx:<hex MRENCLAVE>, in lower "
       "case (line 2)"},
      {"[boot]\nmeasurement_list_keys = [\"rsa:aa\"]",
       "policy: boot.measurement_list_keys cannot hold \"rsa:aa\"; expected texts like ed25519:<64 hex> or p256:<128 hex of x and y>, not of zeros (line 2)"},
      {"[tdx]\nallowed_advisories = [\"SA-00828\"]",
       "policy: tdx.allowed_advisories cannot hold \"SA-00828\"; expected Intel's names of advisories, like INTEL-SA-00828 (line 2)"},
  };
  for (const Case& one : cases) EXPECT_EQ(complaint(one.text), one.complaint) << one.text;
  EXPECT_NE(complaint("[tdx]\n\naccepted_tcb_statuses = [\"uptodate\"]").find("(line 3)"), std::string::npos);
  EXPECT_NE(complaint("[boot]\nkey_providers = [\"kms:AB\"]").find("in lower case"), std::string::npos)
      << "it is compared as text";
  // Values that can never match.
  EXPECT_NE(complaint("[boot]\nkey_providers = [\"local-sgx:00\"]").find("MRENCLAVE"), std::string::npos);
  EXPECT_NE(complaint("[snp]\nvmpl = 4").find("vmpl"), std::string::npos);
  EXPECT_NE(complaint("[service]\nupstreams = [\"\"]").find("places like"), std::string::npos);
  EXPECT_NE(complaint("[service]\nupstreams = [\"private\"]").find("places like"), std::string::npos);
  for (const char* place :
       {"https://x.example", "http://private/", "http://", "http://engine:8000/v1", "unix:/run/x", "http://engine:"}) {
    EXPECT_NE(complaint("[service]\nupstreams = [\"" + std::string(place) + "\"]").find("places like"),
              std::string::npos)
        << place;
  }
  EXPECT_TRUE(parse_policy(R"([service]
upstreams = ["unix:", "http://localhost", "http://private", "http://engine:8000", "https://x.example:443"])"));
  EXPECT_NE(complaint("[boot]\nkms_root_keys = [\"05" + std::string(64, 'a') + "\"]").find("02 or 03"),
            std::string::npos);
  EXPECT_NE(complaint("[boot]\nkey_providers = [\"kms:00\"]").find("kms:<hex"), std::string::npos);
  EXPECT_NE(complaint("[boot]\nmeasurement_list_keys = [\"ed25519:aa\"]").find("64 hex"), std::string::npos);
}

TEST(PolicyFile, RefusesValuesThatCouldNeverMatch) {
  const std::string zeros(192, '0');
  const struct {
    std::string text;
    const char* complaint;
  } cases[] = {
      {"[tdx]\nqe_vendor_ids = [\"" + std::string(32, '0') + "\"]", "tdx.qe_vendor_ids"},
      {"[tdx]\nmin_tcb_date = 9999-03-13T00:00:00Z", "tdx.min_tcb_date"},
      {"[tdx]\nmin_tcb_date = 2100-01-01T00:00:00Z", "before 2100"},
      {"[boot]\nmin_measurement_list_issued = \"9999-03-13T00:00:00Z\"", "boot.min_measurement_list_issued"},
      {"[boot]\nmeasurement_list_keys = [\"ed25519:" + zeros.substr(0, 64) + "\"]", "not of zeros"},
      {"[boot]\nmeasurement_list_keys = [\"p256:" + zeros.substr(0, 128) + "\"]", "not of zeros"},
      {"[nvidia]\nnras_keys = [\"p384:" + zeros + "\"]", "not of zeros"},
      {"[nvidia]\nrequired = \"never\"\ngpu_count = 8", "nvidia.gpu_count demands GPUs"},
      {"[nvidia]\nrequired = \"never\"\nrequire_nras = true", "nvidia.require_nras demands GPUs"},
      {"[nvidia]\ngpu_count = 0", "from 1 to 64"},
      {"[nvidia]\ngpu_count = 65", "from 1 to 64"},
      {"[service]\nmax_keyset_days = 0", "from 1 to"},
      {"report_data = [\"" + zeros.substr(0, 128) + "\"]", "report_data"},
      {"[service]\nmodel_digests = [\"" + zeros.substr(0, 64) + "\"]", "service.model_digests"},
      {"[service]\npolicy_digests = [\"sha256:" + zeros.substr(0, 64) + "\"]", "service.policy_digests"},
      {"[service]\nknown_answer_digests = [\"" + zeros.substr(0, 64) + "\"]", "service.known_answer_digests"},
      {"[service]\ngpu_libraries = [\"" + zeros.substr(0, 64) + "\"]", "service.gpu_libraries"},
  };
  for (const auto& one : cases)
    EXPECT_NE(complaint(one.text).find(one.complaint), std::string::npos) << one.text << complaint(one.text);
  EXPECT_EQ(read("[tdx]\nqe_vendor_ids = [\"939A7233f79c4ca9940a0db3957f0607\"]").tdx.qe_vendor_ids.size(), 1u);
  EXPECT_EQ(read("[nvidia]\nrequired = \"never\"\nmin_driver_version = \"550\"").nvidia.required,
            GpuRequirement::kNever);
  EXPECT_EQ(read("[nvidia]\ngpu_count = 64").nvidia.gpu_count, 64u);
}

TEST(PolicyFile, DigestsMayBeWrittenAsVerdictsWriteThem) {
  const Policy policy = read("[service]\nmodel_digests = [\"sha256:" + std::string(64, 'a') +
                             "\"]\n[boot]\ncompose_hashes = [\"sha256:" + std::string(64, 'b') + "\"]\n");
  EXPECT_EQ(policy.service.model_digests, std::set<Bytes>{Bytes(32, 0xaa)});
  EXPECT_EQ(policy.boot.compose_hashes, std::set<Bytes>{Bytes(32, 0xbb)});
  complaint("[boot]\nmr_td = [\"sha256:" + std::string(96, 'a') + "\"]");
}

TEST(PolicyFile, RevokedCannotBeAccepted) {
  EXPECT_NE(complaint("[tdx]\naccepted_tcb_statuses = [\"Revoked\"]").find("cannot hold \"Revoked\""),
            std::string::npos);
}

TEST(PolicyFile, SyntaxErrorsNameTheLine) {
  EXPECT_EQ(complaint("\n[tdx\n").find("policy: line 2:"), 0u);
  EXPECT_EQ(complaint("a = 1\na = 2").find("policy: line 2:"), 0u);
  EXPECT_FALSE(complaint(std::string("accept_simulator = \xff")).empty());
  EXPECT_FALSE(complaint(std::string(2 << 20, '#')).empty());
}

}  // namespace
}  // namespace cloister::verify
