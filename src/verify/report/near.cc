#include <algorithm>
#include <iterator>
#include <string>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "evidence/json_reader.h"
#include "evidence/report_data.h"
#include "verify/check.h"
#include "verify/report/services.h"
#include "verify/tdx/quote_checks.h"

namespace cloister::verify {
namespace {

using evidence::JsonReader;

constexpr ErrorCode kCode = ErrorCode::kBadReport;

struct OhttpKey {
  ByteArray<32> signing_key{};
  Bytes config, signature;
};

Result<OhttpKey> parse_ohttp(const Json& object, const Json& report) {
  const JsonReader reader(object, kCode, "ohttp_attestation.");
  OhttpKey out;
  TRY(algo, reader.text("signing_algo"));
  if (algo != "ed25519") return reader.bad("signing_algo", "expected ed25519");
  TRY(key, reader.hex32("signing_key"));
  out.signing_key = key;
  TRY(config, reader.hex("key_config"));
  out.config = std::move(config);
  TRY(signature, reader.hex("signature"));
  out.signature = std::move(signature);
  const JsonReader outer(report, kCode);
  if (outer.find("ohttp_key_config") == nullptr) return out;
  TRY(served, outer.hex("ohttp_key_config"));
  if (served != out.config) return outer.bad("ohttp_key_config", "is not the one that is signed");
  return out;
}

Check check_ohttp(const Json& object, const Json& whole, const ServedReport& report, bool address_bound) {
  const std::string id = "report.ohttp_key";
  const Result<OhttpKey> key = parse_ohttp(object, whole);
  if (!key) return failed(id, key.error().message);
  if (const auto good = crypto::verify_ed25519(key->signing_key, key->config, key->signature); !good) {
    return failed(id, good.error().message);
  }
  if (report.signing_algo != evidence::SigningAlgo::kEd25519) {
    return skipped(id, "an Ed25519 key signs it, and this report binds the address of another key", false);
  }
  const std::string signer = to_hex(key->signing_key);
  const Result<ByteArray<32>> address = from_hex_exactly<32>(report.signing_address);
  if (!address || *address != key->signing_key) {
    return failed(id, "another key signs it than the one that the report binds", report.signing_address, signer);
  }
  if (!address_bound) return skipped(id, "report data does not bind the key that signs it");
  return passed(id, to_hex(key->config));
}

struct ComposeManager {
  std::string actions;  // the text that is hashed
  std::size_t count = 0;
  ByteArray<32> hash{};
  evidence::Nonce nonce{};
  Bytes quote;
};

Result<ComposeManager> parse_manager(const Json& object) {
  constexpr std::size_t kMostActions = 65536;
  const JsonReader reader(object, kCode, "compose_manager_attestation.");
  ComposeManager out;
  TRY(actions, reader.array("actions", kMostActions));
  out.actions = codec::write_json(*actions);
  out.count = actions->size();
  TRY(hash, reader.hex32("actions_hash"));
  out.hash = hash;
  TRY(nonce, reader.hex32("nonce"));
  out.nonce = nonce;
  TRY(quote, reader.hex("quote"));
  out.quote = std::move(quote);
  return out;
}

// Compares everything that says which machine it is and what it runs.
bool same_machine(const codec::TdReport& a, const codec::TdReport& b) {
  return a.mr_td == b.mr_td && std::equal(std::begin(a.rtmr), std::end(a.rtmr), std::begin(b.rtmr)) &&
         a.mr_config_id == b.mr_config_id && a.mr_owner == b.mr_owner && a.mr_owner_config == b.mr_owner_config &&
         a.td_attributes == b.td_attributes && a.xfam == b.xfam;
}

Check check_manager(const ComposeManager& manager, const ServedReport& report, const Expected& expected, RootKind root,
                    const QuoteFindings& found) {
  const std::string id = "report.compose_manager";
  const std::string hash = to_hex(crypto::sha256(as_bytes(manager.actions)));
  if (hash != to_hex(manager.hash))
    return failed(id, "the list of actions is not the one whose hash is named", to_hex(manager.hash), hash);
  const evidence::Nonce nonce = expected.nonce.value_or(report.request_nonce);
  if (manager.nonce != nonce) return failed(id, "it answers another nonce", to_hex(nonce), to_hex(manager.nonce));
  if (!found.quote) return failed(id, "its quote could not be read");
  if (found.root != root) return failed(id, "its quote ends in another root than that of the report");
  Bytes bound = to_bytes(manager.hash);
  append(bound, manager.nonce);
  if (!equal(found.quote->report.report_data, bound)) {
    return failed(id, "its quote binds another list or another nonce", to_hex(bound),
                  to_hex(found.quote->report.report_data));
  }
  const auto own = codec::parse_tdx_quote(report.quote);
  if (!own || !same_machine(own->report, found.quote->report))
    return failed(id, "its quote is of another machine than that of the report");
  return passed(id, std::to_string(manager.count) + " actions");
}

}  // namespace

void check_near_parts(const Json& object, const ServedReport& report, bool address_bound, const Expected& expected,
                      RootKind root, const Context& context, Verdict& verdict) {
  const JsonReader reader(object, kCode);
  if (const Json* ohttp = reader.find("ohttp_attestation")) {
    verdict.add(check_ohttp(*ohttp, object, report, address_bound));
  } else if (reader.find("ohttp_key_config") != nullptr) {
    verdict.add(skipped("report.ohttp_key", "the key for oblivious requests is not signed", false));
  }
  const Json* manager = reader.find("compose_manager_attestation");
  if (manager == nullptr) return;
  const Result<ComposeManager> parsed = parse_manager(*manager);
  if (!parsed) {
    verdict.add(failed("report.compose_manager", parsed.error().message));
    return;
  }
  Verdict quote;
  const QuoteFindings found = check_quote(parsed->quote, context, quote);
  verdict.add(check_manager(*parsed, report, expected, root, found));
  verdict.append_under("compose_manager", std::move(quote));
  verdict.facts["compose_actions"] = parsed->count;
  verdict.facts["compose_actions_hash"] = to_hex(parsed->hash);
}

}  // namespace cloister::verify
