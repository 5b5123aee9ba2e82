#include "store/exchange/exchange.h"

#include <unistd.h>

#include <fstream>

#include "base/encoding.h"
#include "base/file_descriptor.h"
#include "codec/jcs.h"
#include "codec/json.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/secp256k1.h"
#include "evidence/aci/receipt.h"
#include "evidence/chat_signature.h"
#include "evidence/json_reader.h"
#include "evidence/merkle_tree.h"
#include "store/exchange/export_line.h"
#include "store/exchange/sealed_line.h"
#include "store/store_testing.h"

#include <fcntl.h>

namespace cloister::store {
namespace {

using testing::all_of;
using testing::kStart;

std::string digest(char digit) { return "sha256:" + std::string(64, digit); }

const crypto::Ed25519Key& receipt_key() {
  static const crypto::Ed25519Key key = *crypto::Ed25519Key::from_seed(Bytes(32, 7));
  return key;
}
const crypto::Secp256k1Key& legacy_key() {
  static const crypto::Secp256k1Key key = *crypto::Secp256k1Key::from_secret(Bytes(32, 8));
  return key;
}

// Two that differ by the time when they end, with the same keys.
std::string keyset_text(char which) {
  const Json document = {
      {"subject", nullptr},
      {"not_after", kStart + which},
      {"receipt_signing_keys",
       {{{"key_id", "k"}, {"algo", "ed25519"}, {"public_key", to_hex(receipt_key().public_key())}},
        {{"key_id", "l"}, {"algo", "cloister.legacy.ecdsa"}, {"public_key", to_hex(legacy_key().public_key())}}}},
      {"e2ee_public_keys", Json::array()},
      {"tls_public_keys", Json::array()}};
  return *codec::write_jcs(document);
}
std::string keyset_digest(char which) { return evidence::digest_text(crypto::sha256(as_bytes(keyset_text(which)))); }
Document keyset(char which = 'a') { return {"keyset", keyset_digest(which), keyset_text(which), kStart}; }

std::string with_signature(Json document) {
  document["signature"] = to_hex(receipt_key().sign(as_bytes(*codec::write_jcs(document))));
  return *codec::write_jcs(document);
}

// Its key is the digest of its text.
Document policy(char which) {
  const std::string text = *codec::write_jcs({{"which", which}});
  return {"policy", evidence::digest_text(crypto::sha256(as_bytes(text))), text, kStart};
}

// As a node makes them.
Json receipt_document(const ReceiptRecord& record, char which) {
  Json log = Json::array({{{"type", "request.received"}, {"body_hash", digest('0')}},
                          {{"type", "policy"}, {"digest", policy('b').key}},
                          {{"type", "response.returned"}, {"body_hash", digest('1')}}});
  std::vector<evidence::MerkleHash> leaves(record.event_hashes.size() / 32);
  for (std::size_t i = 0; i < leaves.size(); ++i)
    std::copy_n(record.event_hashes.begin() + static_cast<std::ptrdiff_t>(32 * i), 32, leaves[i].begin());
  if (!leaves.empty())
    log.push_back({{"type", "response.events"},
                   {"count", leaves.size()},
                   {"root", evidence::digest_text(evidence::merkle_root(leaves))}});
  return {{"api_version", "aci/1"},
          {"receipt_id", record.receipt_id},
          {"chat_id", record.reply_ids[0]},
          {"model", "m"},
          {"workload_keyset_digest", keyset_digest(which)},
          {"endpoint", "/v1/chat/completions"},
          {"method", "POST"},
          {"served_at", record.served_at},
          {"event_log", std::move(log)},
          {"key_id", "k"}};
}
ReceiptRecord receipt(int number, char which = 'a') {
  ReceiptRecord record = testing::record(number);
  record.receipt = with_signature(receipt_document(record, which));
  if (record.legacy) {
    record.legacy->request_sha256 = *evidence::parse_digest(digest('0'));
    record.legacy->response_sha256 = *evidence::parse_digest(digest('1'));
    record.legacy->ecdsa =
        legacy_key().sign_text(evidence::signed_text(record.legacy->request_sha256, record.legacy->response_sha256));
  }
  return record;
}
Document document(const std::string& kind, char digit) {
  return {kind, digest(digit), "{\"of\": \"" + kind + "\"}", kStart};
}

std::unique_ptr<ReceiptStore> memory() {
  static const FakeClock clock(kStart);
  StoreOptions options;
  options.memory = true;
  options.clock = &clock;
  options.keys = testing::keys();
  auto store = *open_store(options);
  EXPECT_TRUE(store->put_document(keyset()));
  return store;
}

Result<ExportItem> parse_line(std::string_view line) { return parse_export_line(line, *testing::keys()); }

std::vector<std::string> export_all(ReceiptStore& store, const ExportRange& range = {}) {
  std::vector<std::string> lines;
  const auto done = export_receipts(store, range, {}, [&](std::string_view line) -> Result<void> {
    return lines.emplace_back(line), Result<void>();
  });
  EXPECT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(done->receipts + done->documents, lines.size());
  return lines;
}

Result<ExchangeCount> import_text(ReceiptStore& store, const std::string& text, const ExchangeWatch& watch = {}) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "in", std::ios::binary) << text;
  const FileDescriptor file(::open((folder.path() / "in").c_str(), O_RDONLY | O_CLOEXEC));
  LineReader lines(file.get(), kMostSealedLineBytes);
  SignedReceipts signed_receipts(store);
  return import_receipts(lines, store, *testing::keys(), signed_receipts, watch);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

TEST(ExportLine, ComesBackAsItWas) {
  for (int i = 0; i < 8; ++i) {
    const auto line = write_export_line(receipt(i));
    ASSERT_TRUE(line) << line.error().to_string();
    EXPECT_EQ(line->find('\n'), std::string::npos);
    EXPECT_EQ(std::get<ReceiptRecord>(*parse_line(*line)), receipt(i));
  }
  const auto line = write_export_line(document("report.native", 'a'));
  ASSERT_TRUE(line);
  EXPECT_EQ(std::get<Document>(*parse_line(*line)), document("report.native", 'a'));
}

TEST(ExportLine, OwnersOfVersion1BecomeKeyed) {
  Json line = *codec::parse_json(*write_export_line(receipt(4)));
  line["form"] = "cloister.receipt.v1";
  ReceiptRecord expected = receipt(4);
  expected.owner = testing::keys()->owner(expected.owner);
  EXPECT_EQ(std::get<ReceiptRecord>(*parse_line(line.dump())), expected);
}

TEST(SealedLine, OpensForTheSameKeysAlone) {
  const std::string line = *write_export_line(receipt(4));
  const std::string sealed = seal_export_line(line, *testing::keys());
  EXPECT_EQ(sealed.find('\n'), std::string::npos);
  EXPECT_EQ(sealed.find("rcpt-"), std::string::npos);
  EXPECT_TRUE(is_sealed_export_line(sealed));
  EXPECT_FALSE(is_sealed_export_line(line));
  EXPECT_EQ(*open_export_line(sealed, *testing::keys()), line);
  EXPECT_EQ(*open_export_line(sealed, *testing::keys(0, 2)), line);
  const auto other = open_export_line(sealed, *testing::keys(1));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kStoreFailed);
  EXPECT_NE(other.error().message.find(key_text(testing::keys()->newest())), std::string::npos);
  const Json good = *codec::parse_json(sealed);
  for (std::size_t at = 0; at < good["sealed"].get<std::string>().size(); at += 7) {
    Json changed = good;
    std::string text = changed["sealed"];
    text[at] = text[at] == 'A' ? 'B' : 'A';
    changed["sealed"] = text;
    EXPECT_FALSE(open_export_line(changed.dump(), *testing::keys())) << at;
  }
  for (const char* wrong :
       {"", "{}", "[]", R"({"form":"cloister.sealed.v1"})", R"({"form":"cloister.sealed.v1","sealed":1})",
        R"({"form":"cloister.sealed.v1","sealed":"*"})", R"({"form":"cloister.sealed.v1","sealed":""})",
        R"({"form":"cloister.sealed.v2","sealed":"AAAA"})", R"({"form":"cloister.sealed.v1","sealed":"","more":1})"}) {
    EXPECT_FALSE(open_export_line(wrong, *testing::keys())) << wrong;
  }
}

TEST(Exchange, ImportsWhatWasSealed) {
  const auto from = memory(), to = memory();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(from->put(std::vector{receipt(i)}));
  std::vector<std::string> lines = export_all(*from);
  for (std::string& line : lines) line = seal_export_line(line, *testing::keys());
  const auto done = import_text(*to, joined(lines));
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(all_of(*to), all_of(*from));
  lines[3] = seal_export_line("{}", *testing::keys());
  EXPECT_TRUE(import_text(*memory(), joined(lines)).error().message.starts_with("line 4: "));
  lines[3] = seal_export_line(lines[2], *testing::keys(1));
  EXPECT_TRUE(import_text(*memory(), joined(lines)).error().message.starts_with("line 4: is encrypted with the key "));
}

TEST(ExportLine, LeavesNothingThatCouldNotBeRead) {
  std::vector<ReceiptRecord> wrong(5, receipt(0));
  wrong[0].receipt = "{}";
  wrong[1].receipt_id = "another";
  wrong[2].served_at += 1;
  wrong[3].reply_ids = {"\xff"};
  wrong[4].event_hashes = "x";
  for (const ReceiptRecord& each : wrong) EXPECT_FALSE(write_export_line(each));
  EXPECT_FALSE(write_export_line(Document{"kind", "not a digest", "", kStart}));
  EXPECT_FALSE(write_export_line(Document{"kind", digest('a'), "\xff", kStart}));
  EXPECT_FALSE(write_export_line(Document{"\xff", digest('a'), "", kStart}));
}

TEST(ExportLine, IsStrict) {
  const Json good = *codec::parse_json(*write_export_line(receipt(4)));
  const auto with = [&](const char* name, Json value) {
    Json changed = good;
    changed[name] = std::move(value);
    return changed.dump();
  };
  EXPECT_TRUE(parse_line(good.dump()));
  for (const std::string& wrong : {
           with("form", "cloister.receipt.v3"),
           with("form", 1),
           with("form", "cloister.document.v1"),
           with("more", 1),
           with("receipt_id", "x"),
           with("receipt_id", nullptr),
           with("reply_ids", "x"),
           with("reply_ids", {1}),
           with("reply_ids", {"a", "b", "c", "d", "e"}),
           with("reply_ids", {""}),
           with("owner", "00"),
           with("owner", std::string(32, 'A')),
           with("served_at", 1),
           with("served_at", "1"),
           with("served_at", 1.5),
           with("receipt", "{}"),
           with("receipt", Json::object()),
           with("receipt", std::string(2 << 20, ' ')),
           with("legacy", Json::object()),
           with("legacy", {{"request_sha256", "00"}}),
           with("event_hashes", "AA=="),
           with("event_hashes", "not base64"),
           with("event_hashes", Json::array()),
           std::string("{}"),
           std::string("[]"),
           std::string(""),
           std::string("null"),
           good.dump() + "x",
           good.dump().substr(1),
           std::string("\xff"),
       }) {
    const auto parsed = parse_line(wrong);
    ASSERT_FALSE(parsed) << wrong.substr(0, 300);
    EXPECT_EQ(parsed.error().code, ErrorCode::kBadReceipt);
  }
  for (const char* name : {"form", "receipt_id", "reply_ids", "owner", "served_at", "receipt"}) {
    Json without = good;
    without.erase(name);
    EXPECT_FALSE(parse_line(without.dump())) << name;
  }
  EXPECT_FALSE(parse_line(R"({"form":"cloister.document.v1","kind":"k","key":"sha256:00","made":1,"text":""})"));
}

TEST(Exchange, ExportsWithDocumentsOnceAndImports) {
  const auto from = memory(), to = memory();
  for (const Document& each : {keyset('c'), policy('b'), policy('d')}) ASSERT_TRUE(from->put_document(each));
  std::vector<ReceiptRecord> records;
  for (int i = 0; i < 700; ++i) records.push_back(receipt(i, i < 300 ? 'a' : 'c'));
  ASSERT_TRUE(from->put(records));
  const auto lines = export_all(*from);
  EXPECT_EQ(lines.size(), 703u) << "the second policy is named by none";
  EXPECT_NE((lines[0] + lines[1]).find("\"keyset\""), std::string::npos) << "before who names it";
  std::uint64_t told = 0;
  ExchangeWatch watch;
  watch.progress = [&](const ExchangeCount& count) { told = count.receipts; };
  const auto done = import_text(*to, joined(lines), watch);
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(done->receipts, 700u);
  EXPECT_EQ(done->documents, 2u);
  EXPECT_EQ(done->known_documents, 1u) << "memory() has put it there";
  EXPECT_GE(told, 512u);
  EXPECT_EQ(all_of(*to), records);
  EXPECT_EQ(export_all(*to), lines);
  // A second time, and without the last line end.
  ASSERT_TRUE(import_text(*to, joined(lines).substr(0, joined(lines).size() - 1)));
  EXPECT_EQ(to->state()->receipts, 700u);
  EXPECT_EQ(import_text(*to, "")->receipts, 0u);
}

TEST(Exchange, ExportsARange) {
  const auto store = memory();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(store->put(std::vector{receipt(i)}));
  // With the keyset.
  EXPECT_EQ(export_all(*store, {kStart + 5, kStart + 9}).size(), 6u);
  EXPECT_EQ(export_all(*store, {kStart + 15, std::nullopt}).size(), 6u);
  EXPECT_EQ(export_all(*store, {kStart + 20, std::nullopt}).size(), 0u);
  EXPECT_EQ(export_all(*store, {0, kStart}).size(), 2u);
}

TEST(Exchange, SaysWhatIsLeftOut) {
  const auto store = memory();
  ASSERT_TRUE(store->put(std::vector{receipt(1), testing::record(2), receipt(3)}));
  std::vector<std::string> complaints;
  ExchangeWatch watch;
  watch.left_out = [&](const std::string& complaint) { complaints.push_back(complaint); };
  int lines = 0;
  const auto done = export_receipts(*store, {}, watch, [&](std::string_view) { return ++lines, Result<void>(); });
  ASSERT_TRUE(done);
  EXPECT_EQ(lines, 3) << "the keyset and two receipts";
  EXPECT_EQ(done->left_out, 1u);
  ASSERT_EQ(complaints.size(), 1u);
  EXPECT_NE(complaints[0].find("rcpt-00000002"), std::string::npos);
}

TEST(Exchange, NamesTheLineThatIsWrong) {
  std::vector<std::string> lines;
  for (int i = 0; i < 10; ++i) lines.push_back(*write_export_line(receipt(i)));
  const auto refused = [&](const std::vector<std::string>& with, const std::string& number, std::uint64_t kept) {
    const auto store = memory();
    const auto done = import_text(*store, joined(with));
    ASSERT_FALSE(done);
    EXPECT_TRUE(done.error().message.starts_with("line " + number + ": ")) << done.error().message;
    EXPECT_EQ(store->state()->receipts, kept) << "those before it";
  };
  auto broken = lines;
  broken[6] = "{}";
  refused(broken, "7", 6);
  broken[6] = "";
  refused(broken, "7", 6);
  broken[6] = std::string(kMostSealedLineBytes + 1, ' ');
  refused(broken, "7", 6);
  ReceiptRecord other = receipt(2);
  other.owner[0] ^= 1;
  broken = lines;
  broken[8] = *write_export_line(other);
  refused(broken, "9", 8);
}

// Each is a line of a good form that nobody signed, or that says more than was signed.
TEST(Exchange, TakesSignedReceiptsAlone) {
  const ReceiptRecord good = receipt(4);
  const Json document = receipt_document(good, 'a');
  const auto with = [&](const char* name, Json value) {
    Json changed = document;
    changed[name] = std::move(value);
    return changed;
  };
  const auto of = [&](std::string text) {
    ReceiptRecord changed = good;
    changed.receipt = std::move(text);
    return changed;
  };
  const auto unsigned_text = [&](Json changed) {
    changed["signature"] = (*codec::parse_json(good.receipt))["signature"];
    return *codec::write_jcs(changed);
  };
  std::vector<std::pair<ReceiptRecord, std::string>> wrong = {
      {of(unsigned_text(with("model", "another"))), "is not signed by"},
      {of(unsigned_text(with("endpoint", "/v1/completions"))), "is not signed by"},
      {of(with_signature(with("key_id", "l"))), "no key for receipts"},
      {of(with_signature(with("key_id", "x"))), "no key for receipts"},
      {of(with_signature(with("workload_keyset_digest", digest('e')))), "its signer is unknown"},
      {of(codec::parse_json(good.receipt)->dump(1)), "canonical form"},
      {of(good.receipt + " "), "canonical form"},
  };
  ReceiptRecord other = good;
  other.legacy->response_sha256[0] ^= 1;
  wrong.emplace_back(other, "other bodies");
  other = good;
  other.legacy->ecdsa[5] ^= 1;
  wrong.emplace_back(other, "legacy: is not signed by");
  other = good;
  other.event_hashes[0] ^= 1;
  wrong.emplace_back(other, "not the leaves");
  other = receipt(1);
  other.event_hashes = std::string(32, 'x');
  wrong.emplace_back(other, "not the leaves");
  for (const auto& [record, complaint] : wrong) {
    const auto store = memory();
    const auto done = import_text(
        *store, joined({*write_export_line(receipt(0)), *write_export_line(record), *write_export_line(receipt(2))}));
    ASSERT_FALSE(done) << complaint;
    EXPECT_EQ(done.error().code, ErrorCode::kBadReceipt);
    EXPECT_TRUE(done.error().message.starts_with("line 2: ")) << done.error().message;
    EXPECT_NE(done.error().message.find(complaint), std::string::npos) << done.error().message;
    EXPECT_EQ(store->state()->receipts, 1u) << "the one before it";
  }
}

// Exports of before have no other keysets.
TEST(Exchange, AReportBringsItsKeyset) {
  const Json c = *codec::parse_json(keyset_text('c'));
  const std::string line = *write_export_line(receipt(3, 'c'));
  for (const Document& each :
       {Document{"report.native", keyset_digest('c'), Json{{"keyset", c}, {"more", 1}}.dump(), kStart},
        Document{"report.aci", keyset_digest('c'), Json{{"attestation", {{"workload_keyset", c}}}}.dump(), kStart}}) {
    EXPECT_TRUE(import_text(*memory(), joined({*write_export_line(each), line})));
    const auto store = memory();
    ASSERT_TRUE(store->put_document(each));
    EXPECT_TRUE(import_text(*store, joined({line})));
    Document wrong = each;
    wrong.key = keyset_digest('d');
    EXPECT_FALSE(import_text(*memory(), joined({*write_export_line(wrong), line}))) << "the key is the keyset's digest";
    wrong.key = each.key;
    for (const char* text :
         {"[]", "{}", "no JSON", R"({"keyset":{}})", R"({"attestation":{"workload_keyset":null}})"}) {
      wrong.text = text;
      EXPECT_EQ(import_text(*memory(), joined({*write_export_line(wrong), line})).error().message.substr(0, 7),
                "line 1:")
          << text;
    }
  }
}

TEST(Exchange, AKeysetIsWhatItsDigestSays) {
  Document wrong = keyset('c');
  wrong.key = keyset_digest('a');
  const auto store = memory();
  for (const Document& each :
       {wrong, Document{"keyset", digest('e'), keyset_text('c'), kStart}, Document{"keyset", digest('e'), "{}", kStart},
        Document{"keyset", digest('e'), "no JSON", kStart}}) {
    const auto done = import_text(
        *store, joined({*write_export_line(receipt(0)), *write_export_line(each), *write_export_line(receipt(1))}));
    ASSERT_FALSE(done);
    EXPECT_TRUE(done.error().message.starts_with("line 2: ")) << done.error().message;
    EXPECT_EQ(store->state()->receipts, 1u);
  }
  EXPECT_EQ(store->find_document("keyset", keyset_digest('a'))->value(), keyset('a')) << "it is still there";
  // One that the store holds is looked at as well.
  ASSERT_TRUE(store->put_document({"keyset", keyset_digest('c'), keyset_text('a'), kStart}));
  EXPECT_FALSE(import_text(*store, joined({*write_export_line(receipt(3, 'c'))})));
}

Document report(char which, int number = 0) {
  const Json text = {{"keyset", *codec::parse_json(keyset_text(which))}, {"quote", number}};
  return {"report.native", keyset_digest(which), text.dump(), kStart + number};
}

TEST(Exchange, NeverReplacesADocument) {
  const Document other = document("other", 'e');
  const std::vector<Document> genuine = {keyset('a'), policy('b'), report('a'), other};
  for (const Document& each : genuine) {
    const auto store = memory();
    ASSERT_TRUE(import_text(*store, *write_export_line(each)));
    for (const char* text : {"{}", "", "no JSON", "null"}) {
      Document wrong = each;
      wrong.text = text;
      wrong.made += 1;
      const auto done = import_text(
          *store, joined({*write_export_line(receipt(0)), *write_export_line(wrong), *write_export_line(receipt(1))}));
      ASSERT_FALSE(done) << each.kind << text;
      EXPECT_TRUE(done.error().message.starts_with("line 2: ")) << done.error().message;
      EXPECT_EQ(store->state()->receipts, 1u);
      EXPECT_EQ(*store->find_document(each.kind, each.key), each);
    }
  }
  // The same again, which lasts as long as the later one, and in another spelling.
  for (const Document& each : genuine) {
    const auto store = memory();
    ASSERT_TRUE(store->put_document(each));
    for (const UnixSeconds later : {-5, 0, 9, 3}) {
      Document again = each;
      again.made += later;
      if (each.kind != "other" && each.kind != "report.native") again.text = " " + again.text;
      const auto done = import_text(*store, *write_export_line(again));
      ASSERT_TRUE(done) << done.error().to_string();
      EXPECT_EQ(done->documents, 0u);
      EXPECT_EQ(done->known_documents, 1u);
      const auto stored = *store->find_document(each.kind, each.key);
      EXPECT_EQ(stored->text, each.text);
      EXPECT_EQ(stored->made, kStart + (later > 0 ? 9 : 0));
    }
  }
}

// A node makes them twice a day for the same keyset: a later export of it is genuine as well.
TEST(Exchange, TheFirstReportOfAKeysetStays) {
  const auto store = memory();
  std::vector<std::string> notices;
  ExchangeWatch watch;
  watch.kept = [&](const std::string& notice) { notices.push_back(notice); };
  const std::string line = *write_export_line(receipt(3, 'c'));
  const auto done = import_text(*store,
                                joined({*write_export_line(report('c')), line, *write_export_line(report('c', 7)),
                                        *write_export_line(receipt(7, 'c'))}),
                                watch);
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(done->receipts, 2u);
  EXPECT_EQ(done->documents, 1u);
  EXPECT_EQ(done->known_documents, 1u);
  EXPECT_EQ(notices, std::vector{"line 3: another report.native of " + keyset_digest('c') + " is stored, and stays"});
  const auto stored = *store->find_document("report.native", keyset_digest('c'));
  EXPECT_EQ(stored->text, report('c').text);
  EXPECT_EQ(stored->made, kStart + 7) << "it lasts as long as the receipts";
}

// As stores may hold it since imports replaced documents.
TEST(Exchange, WhatIsNotWhatItsKeySaysGivesWay) {
  const auto store = memory();
  for (Document each : {keyset('c'), policy('b'), report('c')}) {
    each.text = "{}";
    ASSERT_TRUE(store->put_document(each));
  }
  ASSERT_TRUE(store->put(std::vector{receipt(3, 'c')}));
  ExchangeWatch watch;
  std::string complaints;
  watch.left_out = [&](const std::string& complaint) { complaints += complaint + "\n"; };
  const auto exported = export_receipts(*store, {}, watch, [](std::string_view) { return Result<void>(); });
  ASSERT_TRUE(exported);
  EXPECT_EQ(exported->documents, 0u) << "nobody could import them";
  EXPECT_EQ(exported->left_out, 3u) << complaints;
  const auto done = import_text(*store, joined({*write_export_line(report('c')), *write_export_line(receipt(7, 'c')),
                                                *write_export_line(keyset('c')), *write_export_line(policy('b'))}));
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(done->documents, 3u);
  EXPECT_EQ(export_all(*store).size(), 5u);
}

TEST(Exchange, APolicyIsWhatItsDigestSays) {
  Document wrong = policy('b');
  wrong.key = policy('d').key;
  const auto store = memory();
  const auto done = import_text(*store, joined({*write_export_line(policy('b')), *write_export_line(wrong)}));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "line 2: key: is not the digest of the policy");
  EXPECT_FALSE(*store->find_document("policy", wrong.key));
}

TEST(Exchange, StopsWhenAsked) {
  const auto store = memory();
  std::vector<std::string> lines;
  for (int i = 0; i < 600; ++i) lines.push_back(*write_export_line(receipt(i)));
  std::atomic<bool> stop = false;
  ExchangeWatch watch;
  watch.stop = &stop;
  watch.progress = [&](const ExchangeCount& count) { stop = count.receipts >= 256; };
  const auto done = import_text(*store, joined(lines), watch);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kCancelled);
  EXPECT_GE(store->state()->receipts, 256u);
  EXPECT_LT(store->state()->receipts, 600u);
  stop = true;
  EXPECT_EQ(export_receipts(*store, {}, watch, [](std::string_view) { return Result<void>(); }).error().code,
            ErrorCode::kCancelled);
}

TEST(LineReader, ReadsPiecesOfAnySize) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const FileDescriptor in(pipe[0]);
  const std::string text = "one\n\ntwo\r\n" + std::string(300'000, 'x') + "\nlast";
  {
    const FileDescriptor out(pipe[1]);
    ASSERT_EQ(::write(out.get(), text.data(), 5), 5);
    const pid_t child = ::fork();
    if (child == 0) {
      for (std::size_t at = 5; at < text.size();) {
        const ssize_t n = ::write(out.get(), text.data() + at, std::min<std::size_t>(text.size() - at, 7777));
        if (n <= 0) ::_exit(1);
        at += static_cast<std::size_t>(n);
      }
      ::_exit(0);
    }
  }
  LineReader lines(in.get(), 300'000);
  EXPECT_EQ(**lines.next(), "one");
  EXPECT_EQ(**lines.next(), "");
  EXPECT_EQ(**lines.next(), "two\r");
  EXPECT_EQ((*lines.next())->size(), 300'000u);
  EXPECT_EQ(**lines.next(), "last");
  EXPECT_EQ(lines.number(), 5u);
  EXPECT_FALSE(*lines.next());
  EXPECT_FALSE(*lines.next());
}

}  // namespace
}  // namespace cloister::store
