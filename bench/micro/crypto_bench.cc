// Measures the raw cost of the cryptography that a signed reply needs, through src/crypto. bench/run records it next to
// the served figures.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/secp256k1.h"

namespace {

using namespace cloister;  // NOLINT(google-build-using-namespace)

// The signed text of a reply consists of two digests in hex and a colon.
const std::string kSignedText = std::string(64, 'a') + ":" + std::string(64, 'b');

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 31 + 7);
  return bytes;
}

// Adds one streamed event of the given size to the running hash of the reply.
void hash_event(benchmark::State& state) {
  const Bytes event = pattern(static_cast<std::size_t>(state.range(0)));
  crypto::Sha256 hasher;
  for (auto _ : state) hasher.update(event);
  benchmark::DoNotOptimize(hasher.finish());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(hash_event)->Arg(250)->Arg(1536)->Arg(1 << 20);

void hash_whole(benchmark::State& state) {
  const Bytes body = pattern(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(crypto::sha256(body));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(hash_whole)->Arg(250)->Arg(600)->Arg(1536);

void sign_ecdsa(benchmark::State& state) {
  const auto key = crypto::Secp256k1Key::from_secret(pattern(32));
  if (!key) std::abort();
  for (auto _ : state) benchmark::DoNotOptimize(key->sign_text(kSignedText));
}
BENCHMARK(sign_ecdsa);

void recover_ecdsa(benchmark::State& state) {
  const auto key = crypto::Secp256k1Key::from_secret(pattern(32));
  if (!key) std::abort();
  const auto signature = key->sign_text(kSignedText);
  for (auto _ : state) benchmark::DoNotOptimize(crypto::recover_eip191(kSignedText, signature).has_value());
}
BENCHMARK(recover_ecdsa);

void sign_ed25519(benchmark::State& state) {
  const auto key = crypto::Ed25519Key::from_seed(pattern(32));
  if (!key) std::abort();
  for (auto _ : state) benchmark::DoNotOptimize(key->sign(as_bytes(kSignedText)));
}
BENCHMARK(sign_ed25519);

void verify_ed25519(benchmark::State& state) {
  const auto key = crypto::Ed25519Key::from_seed(pattern(32));
  if (!key) std::abort();
  const auto signature = key->sign(as_bytes(kSignedText));
  for (auto _ : state) {
    benchmark::DoNotOptimize(crypto::verify_ed25519(key->public_key(), as_bytes(kSignedText), signature).has_value());
  }
}
BENCHMARK(verify_ed25519);

}  // namespace
