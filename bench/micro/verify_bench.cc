// Measures what verifying evidence costs, and what its raw signature verifications alone cost. The genuine evidence
// comes from the folder that CLOISTER_VECTORS names. bench/verify compares the result with another implementation.
#include <benchmark/benchmark.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file.h"
#include "verify/bundle.h"
#include "verify/gpu.h"
#include "verify/quote.h"
#include "verify/tdx/collateral_cache.h"

namespace {

using namespace cloister;  // NOLINT(google-build-using-namespace)

constexpr UnixSeconds kQuoteTime = 1750500000;  // 2025-06-21, inside the collateral's window
constexpr UnixSeconds kGpuTime = 1764547200;    // 2025-12-01

std::string vector_file(const std::string& name) {
  const char* folder = std::getenv("CLOISTER_VECTORS");
  Result<std::string> bytes =
      read_file(std::string(folder != nullptr ? folder : "../shared/vectors") + "/" + name, 16 << 20);
  if (!bytes) {
    std::cerr << bytes.error().message << "\n";
    std::exit(2);
  }
  return *bytes;
}

// One signature and its key, which are made here. Each verification has its own context, as in a program that verifies
// one piece of evidence after another.
class RawSignature {
 public:
  RawSignature(const char* curve, const EVP_MD* digest) : digest_(digest), key_(EVP_EC_gen(curve), EVP_PKEY_free) {
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    std::size_t size = 256;
    signature_.resize(size);
    if (EVP_DigestSignInit(context.get(), nullptr, digest_, nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), signature_.data(), &size, text_.data(), text_.size()) != 1) {
      std::abort();
    }
    signature_.resize(size);
  }

  void verify() const {
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    if (EVP_DigestVerifyInit(context.get(), nullptr, digest_, nullptr, key_.get()) != 1 ||
        EVP_DigestVerify(context.get(), signature_.data(), signature_.size(), text_.data(), text_.size()) != 1) {
      std::abort();
    }
  }

 private:
  const EVP_MD* digest_;
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
  Bytes text_ = Bytes(632);
  Bytes signature_;
};

void raw_p256_verify(benchmark::State& state) {
  const RawSignature signature("P-256", EVP_sha256());
  for (auto _ : state) signature.verify();
}
BENCHMARK(raw_p256_verify);

void raw_p384_verify(benchmark::State& state) {
  const RawSignature signature("P-384", EVP_sha384());
  for (auto _ : state) signature.verify();
}
BENCHMARK(raw_p384_verify);

verify::Policy any_code() {
  verify::Policy policy;
  policy.boot.allow_any_measurements = true;
  policy.require_nonce = false;  // the quote is a recorded one
  return policy;
}

void require(benchmark::State& state, const verify::Verdict& verdict, verify::Outcome wanted) {
  if (verdict.outcome() == wanted) return;
  std::cerr << verify::to_text(verdict, false);
  state.SkipWithError("the verdict is another one");
}

// Goes from bytes to verdict. The collateral is read and verified each time.
void tdx_full(benchmark::State& state) {
  const std::string quote = vector_file("tdx/v4_b0c06f_uptodate.bin");
  const std::string bundle = vector_file("tdx/v4_b0c06f_uptodate.collateral.json");
  const verify::Policy policy = any_code();
  for (auto _ : state) {
    const verify::Collateral collateral = verify::parse_bundle(bundle).value_or({});
    const verify::Verdict verdict = verify::verify_quote(as_bytes(quote), {policy, collateral, kQuoteTime});
    require(state, verdict, verify::Outcome::kAccepted);
  }
}
BENCHMARK(tdx_full);

// Verifies with the same collateral again and again, as a gateway does.
void tdx_cached(benchmark::State& state) {
  const std::string quote = vector_file("tdx/v4_b0c06f_uptodate.bin");
  const verify::Collateral collateral =
      verify::parse_bundle(vector_file("tdx/v4_b0c06f_uptodate.collateral.json")).value_or({});
  const verify::Policy policy = any_code();
  verify::TdxCollateralCache cache;
  for (auto _ : state) {
    const verify::Verdict verdict = verify::verify_quote(as_bytes(quote), {policy, collateral, kQuoteTime, &cache});
    require(state, verdict, verify::Outcome::kAccepted);
  }
}
BENCHMARK(tdx_cached);

void gpu_evidence(benchmark::State& state, const char* file) {
  const std::string evidence = vector_file(file);
  const verify::Policy policy;
  const verify::Collateral none;
  for (auto _ : state)
    benchmark::DoNotOptimize(verify::verify_gpu(evidence, std::nullopt, {policy, none, kGpuTime}).outcome());
}
BENCHMARK_CAPTURE(gpu_evidence, one, "nvidia/evidence_hopper_1gpu.json");
BENCHMARK_CAPTURE(gpu_evidence, four, "nvidia/evidence_hopper_4gpu.json");

}  // namespace
