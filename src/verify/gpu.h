// Verifies GPU evidence that stands alone: a pure function of (evidence, nonce, collateral, policy, time).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/x509.h"
#include "verify/context.h"
#include "verify/verdict.h"

namespace cloister::verify {

// `file_text` is an nvidia_payload, the array that NVIDIA's SDK writes, or a whole attestation report, of which only
// the nvidia_payload is verified. `nonce` is the one that every device must have answered; without it freshness is
// skipped. For a report of Cloister's own form it is the client's, and the devices must have answered device_nonce().
// Such evidence says nothing about the machine that the GPU is attached to. Subject "gpu"; adds every check nvidia.*
// and the facts `gpu`, `gpus` and `judged_at`, and `tee_type` where a device is simulated.
Verdict verify_gpu(std::string_view file_text, const std::optional<ByteArray<32>>& nonce, const Context& context);

// The nonce that the devices in this text were asked with when a client asked with `nonce`: the same, except for a report of
// Cloister's own form, whose devices are asked with a hash of the keyset and the client's nonce (docs/spec/native-report.md).
std::optional<ByteArray<32>> device_nonce(std::string_view file_text, const std::optional<ByteArray<32>>& nonce);

// An Error when this text is no GPU evidence of any form, broken or not, or when it is a report whose GPU evidence can
// be verified with the report only.
Result<void> check_gpu_text(std::string_view file_text);

// The older form: one device in two files, the report as hex or raw bytes and the chain as PEM or base64 of PEM.
Verdict verify_gpu(ByteView report_file, ByteView chain_file, const std::optional<ByteArray<32>>& nonce,
                   const Context& context);

// What a fetcher must fetch for this evidence (the same texts as above).
struct NvidiaNeeds {
  std::vector<std::string> rim_ids;  // of the devices' manifests, each once
  struct Certificate {
    crypto::Certificate certificate, issuer;
  };
  // The certificates to ask OCSP about, each once: those of the devices and of the manifests that `collateral` already holds.
  std::vector<Certificate> certificates;
};
Result<NvidiaNeeds> nvidia_needs(std::string_view file_text, const Collateral& collateral);

}  // namespace cloister::verify
