// Measures what making a receipt costs, and what its signatures alone cost. bench/run records both.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "base/clock.h"
#include "crypto/hash.h"
#include "evidence/chat_signature.h"
#include "receipts/receipt_document.h"
#include "store/receipt_id.h"

namespace {

using namespace cloister;  // NOLINT(google-build-using-namespace)

struct Node {
  identity::Keyring keyring = identity::Keyring::make(nullptr, {}).value();
  identity::Identity identity{keyring, system_clock()};
};

// The facts of a streamed reply of `events` events.
receipts::ReplyFacts facts_of(const Node& node, std::size_t events) {
  receipts::ReplyFacts facts;
  facts.receipt_id = store::new_receipt_id();
  facts.request_id = facts.reply_id = "chatcmpl-00112233445566778899aabbccddeeff";
  facts.epoch = node.identity.now();
  facts.endpoint = "/v1/chat/completions";
  facts.model = facts.served_model = "SmolLM2-135M-Instruct.Q4_1";
  facts.request_sha256 = facts.response_sha256 = crypto::sha256(as_bytes("x"));
  facts.forwarded_sha256 = facts.request_sha256;
  facts.engine = "llama.cpp";
  facts.event_stream = events > 0;
  for (std::size_t i = 0; i < events; ++i) facts.events.push_back(crypto::sha256(as_bytes(std::to_string(i))));
  facts.outcome = engine::Outcome{"stop", {100, 0, events}, {{"temperature", "0.8"}, {"top_p", "0.95"}, {"seed", 42}}};
  return facts;
}

void make_receipt(benchmark::State& state) {
  const Node node;
  const receipts::ReplyFacts facts = facts_of(node, static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    const auto record = receipts::make_receipt(facts, node.keyring, 1780272000);
    if (!record || !record->legacy) std::abort();
    benchmark::DoNotOptimize(record->receipt.data());
  }
}
BENCHMARK(make_receipt)->Arg(0)->Arg(300);

// Makes the same signatures over texts of the same sizes, and the hashes of the tree's nodes.
void raw_receipt(benchmark::State& state) {
  const Node node;
  const receipts::ReplyFacts facts = facts_of(node, static_cast<std::size_t>(state.range(0)));
  const std::string canonical = receipts::make_receipt(facts, node.keyring, 1780272000).value().receipt;
  const std::string signed_text = evidence::signed_text(facts.request_sha256, facts.response_sha256);
  ByteArray<65> pair{};
  for (auto _ : state) {
    benchmark::DoNotOptimize(node.keyring.sign_receipt(canonical));
    benchmark::DoNotOptimize(node.keyring.sign_ecdsa(signed_text));
    for (std::int64_t i = 1; i < state.range(0); ++i) benchmark::DoNotOptimize(crypto::sha256(pair));
  }
}
BENCHMARK(raw_receipt)->Arg(0)->Arg(300);

// Hashes one event of a stream while the event passes.
void hash_leaf(benchmark::State& state) {
  const std::string event(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(crypto::sha256(as_bytes(event)));
}
BENCHMARK(hash_leaf)->Arg(250);

}  // namespace
