// The vectors of the documents (docs/spec/vectors), which another implementation made: the same bytes, digests, signatures and refusals.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "base/encoding.h"
#include "base/testing/vectors.h"
#include "codec/jcs.h"
#include "codec/json.h"
#include "codec/sse_events.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/secp256k1.h"
#include "evidence/aci/keyset.h"
#include "evidence/aci/receipt.h"
#include "evidence/event_salts.h"
#include "evidence/file_tree.h"
#include "evidence/json_reader.h"
#include "evidence/merkle_tree.h"
#include "evidence/model_identity.h"
#include "evidence/native_report.h"
#include "evidence/prefix_proof.h"
#include "evidence/statement.h"

namespace cloister::evidence {
namespace {

Json vectors(const std::string& name) {
  std::ifstream file(testing::repository() / "docs/spec/vectors" / name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return codec::parse_json(text).value();
}

std::string text_of(const Json& object, const char* name) { return object.at(name).get<std::string>(); }

std::string hex_text(const Json& object, const char* name) {
  return std::string(as_text(from_hex(text_of(object, name)).value()));
}

template <std::size_t N>
ByteArray<N> bytes_of(const Json& object, const char* name) {
  return from_hex_exactly<N>(text_of(object, name)).value();
}

std::string sha256_hex(std::string_view text) { return to_hex(crypto::sha256(as_bytes(text))); }

Result<std::string> canonical(std::string_view text) {
  TRY(value, codec::parse_json(text));
  return codec::write_jcs(value);
}

// The text of a refused case: `base` with the one change that the case names, or a text of its own.
std::string refused_text(const Json& refused, const std::string& base) {
  if (refused.contains("text")) return text_of(refused, "text");
  if (!refused.contains("replace")) return base;
  const std::string old = refused["replace"][0].get<std::string>();
  const std::size_t at = base.find(old);
  EXPECT_NE(at, std::string::npos) << text_of(refused, "name");
  return std::string(base).replace(at, old.size(), refused["replace"][1].get<std::string>());
}

// The secret of a public test key.
Bytes secret_of(const Json& file, const std::string& key_id) {
  for (const Json& key : file.at("public_test_keys")) {
    if (key.at("key_id") == key_id) return from_hex(text_of(key, "private_key")).value();
  }
  ADD_FAILURE() << "no key " << key_id;
  return {};
}

TEST(SpecVectors, CanonicalJson) {
  const Json file = vectors("canonical-json.json");
  for (const Json& accepted : file["accepted"]) {
    const auto form = canonical(hex_text(accepted, "text_hex"));
    ASSERT_TRUE(form) << text_of(accepted, "name") << ": " << form.error().message;
    EXPECT_EQ(*form, text_of(accepted, "canonical")) << text_of(accepted, "name");
    EXPECT_EQ(*form, hex_text(accepted, "canonical_hex"));
    EXPECT_EQ(sha256_hex(*form), text_of(accepted, "sha256"));
  }
  for (const Json& refused : file["refused"]) {
    EXPECT_FALSE(canonical(hex_text(refused, "text_hex"))) << text_of(refused, "name");
  }
}

Result<Keyset> keyset_of(const std::string& text) {
  TRY(value, codec::parse_json(text));
  return parse_keyset(value);
}

TEST(SpecVectors, Keyset) {
  const Json file = vectors("keyset.json");
  for (const Json& accepted : file["accepted"]) {
    const auto keyset = keyset_of(text_of(accepted, "text"));
    ASSERT_TRUE(keyset) << text_of(accepted, "name") << ": " << keyset.error().message;
    EXPECT_EQ(digest_text(keyset->digest), text_of(accepted, "digest"));
    EXPECT_EQ(canonical(text_of(accepted, "text")).value(), text_of(accepted, "canonical"));
    EXPECT_EQ(text_of(accepted, "canonical"), hex_text(accepted, "canonical_hex"));
  }
  const auto first = keyset_of(text_of(file["accepted"][0], "text"));
  EXPECT_EQ(first->legacy_addresses().front(), text_of(file, "legacy_address"));
  EXPECT_EQ(first->tls_key_origin(crypto::sha256(from_hex(text_of(file, "tls_spki")).value())), TlsKeyOrigin::kBorn);
  for (const Json& refused : file["refused"]) {
    const auto keyset = keyset_of(refused_text(refused, text_of(file["accepted"][0], "text")));
    // The form of a keyset with any other fault is right.
    EXPECT_EQ(keyset.has_value(), text_of(refused, "check") != "keyset.form") << text_of(refused, "name");
  }
}

// A report of the vectors has no quote, so the test adds one.
Json with_quote(Json report) {
  report["quote"] = "0400";
  return report;
}

TEST(SpecVectors, Statement) {
  const Json file = vectors("statement.json");
  for (const Json& accepted : file["accepted"]) {
    const auto report = parse_native_report(with_quote(accepted["report"]));
    ASSERT_TRUE(report) << text_of(accepted, "name") << ": " << report.error().message;
    const NativeStatement& statement = report->statement;
    EXPECT_EQ(native_statement(statement), text_of(accepted, "canonical"));
    EXPECT_EQ(native_statement(statement), hex_text(accepted, "canonical_hex"));
    EXPECT_EQ(to_hex(statement_report_data(native_statement(statement))), text_of(accepted, "report_data"));
    EXPECT_EQ(to_hex(statement.nonce), text_of(accepted, "nonce"));
    EXPECT_EQ(to_hex(gpu_nonce(statement.keyset_digest, statement.nonce)), text_of(accepted, "gpu_nonce"));
    EXPECT_EQ(statement.keyset_digest, report->keyset.digest);
    if (!report->model.is_null()) EXPECT_EQ(statement.model_digest, document_digest(report->model).value());
    if (!report->policy.is_null()) EXPECT_EQ(statement.policy_digest, document_digest(report->policy).value());
    if (report->nvidia_payload) {
      EXPECT_EQ(statement.gpu_evidence_digest, crypto::sha256(as_bytes(*report->nvidia_payload)));
    }
  }
  for (const Json& refused : file["refused"]) {
    Json report = with_quote(file["accepted"][0]["report"]);
    report.update(refused["set"]);
    EXPECT_EQ(parse_native_report(report).has_value(), text_of(refused, "check") != "report.form")
        << text_of(refused, "name");
  }
}

TEST(SpecVectors, Receipt) {
  const Json file = vectors("receipt.json");
  const auto key = crypto::Ed25519Key::from_seed(secret_of(file, "receipt-1")).value();
  const auto keyset = keyset_of(text_of(file, "keyset")).value();
  for (const Json& accepted : file["accepted"]) {
    const auto receipt = parse_receipt(text_of(accepted, "text"));
    ASSERT_TRUE(receipt) << text_of(accepted, "name") << ": " << receipt.error().message;
    EXPECT_EQ(receipt->signing_input, text_of(accepted, "signing_input"));
    EXPECT_EQ(receipt->signing_input, hex_text(accepted, "signing_input_hex"));
    EXPECT_EQ(sha256_hex(receipt->signing_input), text_of(accepted, "signing_input_sha256"));
    EXPECT_EQ(receipt->keyset_digest, keyset.digest);
    EXPECT_EQ(to_hex(receipt->signature), text_of(accepted, "signature"));
    EXPECT_EQ(key.sign(as_bytes(receipt->signing_input)), receipt->signature);
    EXPECT_EQ(receipt->events.front().body_hash, crypto::sha256(as_bytes(text_of(accepted, "request"))));
  }
  for (const Json& refused : file["refused"]) {
    const std::string check = text_of(refused, "check");
    const auto receipt = parse_receipt(refused_text(refused, text_of(file["accepted"][0], "text")));
    ASSERT_EQ(receipt.has_value(), check != "receipt.form") << text_of(refused, "name");
    if (!receipt) continue;
    const auto valid = crypto::verify_ed25519(key.public_key(), as_bytes(receipt->signing_input), receipt->signature);
    const bool signed_by_another = check == "receipt.signature" || receipt->key_id == "legacy-ed25519-1";
    EXPECT_EQ(valid.has_value(), !signed_by_another) << text_of(refused, "name");
  }
}

TEST(SpecVectors, LegacySignatures) {
  const Json file = vectors("receipt.json");
  const Json& signatures = file["legacy_signatures"];
  const std::string text = text_of(signatures, "text");
  EXPECT_EQ(text, sha256_hex(text_of(file["accepted"][0], "request")) + ":" +
                      sha256_hex(text_of(file["accepted"][0], "response")));
  const auto ecdsa = crypto::Secp256k1Key::from_secret(secret_of(file, "legacy-ecdsa-1")).value();
  EXPECT_EQ("0x" + to_hex(ecdsa.sign_text(text)), text_of(signatures["ecdsa"], "signature"));
  EXPECT_EQ(crypto::eth_address_text(ecdsa.address()), text_of(signatures["ecdsa"], "signing_address"));
  const auto ed25519 = crypto::Ed25519Key::from_seed(secret_of(file, "legacy-ed25519-1")).value();
  EXPECT_EQ(to_hex(ed25519.sign(as_bytes(text))), text_of(signatures["ed25519"], "signature"));
  EXPECT_EQ(to_hex(ed25519.public_key()), text_of(signatures["ed25519"], "signing_address"));
}

std::string joined(const Json& events, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += events.at(i).get<std::string>();
  return out;
}

TEST(SpecVectors, EventsOfAStream) {
  const Json file = vectors("prefix-proof.json");
  for (const Json& split : file["split"]) {
    const std::string text = text_of(split, "text");
    const auto found = codec::split_events(text);
    EXPECT_EQ(Json(found.events), split["events"]) << text_of(split, "name");
    EXPECT_EQ(found.rest, text_of(split, "rest")) << text_of(split, "name");
  }
  const auto secret = bytes_of<32>(file, "secret");
  for (const Json& first : file["first_seeds"]) {
    Json seeds = Json::array();
    for (const SaltSeed& seed : salts_of_first(secret, first["events"].get<std::size_t>()))
      seeds.push_back(to_hex(seed));
    EXPECT_EQ(seeds, first["seeds"]);
  }
  // The last seed for the first `event` + 1 events is the seed of that event, where the last hex digit of this number is not 0.
  for (const Json& one : file["seeds"]) {
    const std::size_t count = one["event"].get<std::size_t>() + 1;
    if (count % 16 != 0) EXPECT_EQ(to_hex(salts_of_first(secret, count).back()), text_of(one, "seed"));
  }
  const auto leaves = salted_leaves(secret, event_hashes(joined(file["events"], file["events"].size())));
  ASSERT_EQ(leaves.size(), file["leaves"].size());
  for (std::size_t i = 0; i < leaves.size(); ++i) EXPECT_EQ(Json(to_hex(leaves[i])), file["leaves"][i]);
  for (const Json& root : file["roots"]) {
    const std::vector<MerkleHash> first(leaves.begin(), leaves.begin() + root["leaves"].get<std::ptrdiff_t>());
    EXPECT_EQ(to_hex(merkle_root(first)), text_of(root, "root"));
  }
}

TEST(SpecVectors, PrefixProof) {
  const Json file = vectors("prefix-proof.json");
  const auto receipt = parse_receipt(text_of(file, "receipt")).value();
  const auto secret = bytes_of<32>(file, "secret");
  const auto leaves = salted_leaves(secret, event_hashes(joined(file["events"], file["events"].size())));
  const ReceiptEvent& named = receipt.events.back();
  EXPECT_EQ(text_of(named.fields, "root"), digest_text(merkle_root(leaves)));
  for (const Json& accepted : file["accepted"]) {
    const auto count = accepted["events"].get<std::size_t>();
    const PrefixProof made = prove_prefix(receipt.receipt_id, leaves, count, secret);
    EXPECT_EQ(codec::write_jcs(to_json(made)).value(), text_of(accepted, "text"));
    const auto proof = parse_prefix_proof(text_of(accepted, "text"));
    ASSERT_TRUE(proof) << proof.error().message;
    const auto first = leaves_of_first(proof->salts, event_hashes(joined(file["events"], count)));
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_TRUE(
        verify_merkle_consistency(count, merkle_root(*first), proof->total, merkle_root(leaves), proof->consistency));
  }
}

// The bytes of a file of the vectors: the pattern, repeated.
class PatternFile {
 public:
  PatternFile(ByteView pattern, std::size_t size) : file_(std::tmpfile()) {
    for (std::size_t i = 0; i < size; ++i) std::fputc(pattern[i % pattern.size()], file_);
    std::fflush(file_);
  }
  PatternFile(const PatternFile&) = delete;
  PatternFile& operator=(const PatternFile&) = delete;
  ~PatternFile() { std::fclose(file_); }
  int descriptor() const { return ::fileno(file_); }

 private:
  std::FILE* file_;
};

Result<ModelIdentity> identity_of(const std::string& text) {
  TRY(value, codec::parse_json(text));
  return parse_model_identity(value);
}

TEST(SpecVectors, ModelIdentity) {
  const Json file = vectors("model-identity.json");
  const Bytes pattern = from_hex(text_of(file, "file_pattern")).value();
  for (const Json& one : file["files"]) {
    const auto size = one["size"].get<std::size_t>();
    const PatternFile content(pattern, size);
    EXPECT_EQ(digest_text(hash_file_tree(content.descriptor(), size, {}).value()), text_of(one, "digest")) << size;
  }
  for (const Json& accepted : file["accepted"]) {
    const auto identity = identity_of(text_of(accepted, "text"));
    ASSERT_TRUE(identity) << text_of(accepted, "name") << ": " << identity.error().message;
    EXPECT_EQ(codec::write_jcs(to_json(*identity)).value(), text_of(accepted, "canonical"));
    EXPECT_EQ(text_of(accepted, "canonical"), hex_text(accepted, "canonical_hex"));
    EXPECT_EQ(digest_text(document_digest(to_json(*identity)).value()), text_of(accepted, "digest"));
  }
  for (const Json& text : file["texts"]) EXPECT_EQ(identity_text(text_of(text, "text")), text_of(text, "written"));
  for (const Json& refused : file["refused"]) {
    EXPECT_FALSE(identity_of(refused_text(refused, text_of(file["accepted"][0], "text")))) << text_of(refused, "name");
  }
}

}  // namespace
}  // namespace cloister::evidence
