// Cloister's verifier for C++: the handles of cloister.h with an owner. It is header-only, so a program compiled by
// another compiler or with another standard library can link it all the same.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "cloister/cloister.h"

namespace cloister {

class VerdictHandle {
 public:
  explicit VerdictHandle(cloister_verdict* verdict) : verdict_(verdict) {
    if (verdict == nullptr) throw std::bad_alloc();
  }
  cloister_outcome outcome() const { return cloister_verdict_outcome(verdict_.get()); }
  // Every required check passed. No other outcome is a yes.
  bool accepted() const { return outcome() == CLOISTER_ACCEPTED; }
  // The views are valid as long as this object lives.
  std::string_view json() const { return cloister_verdict_json(verdict_.get()); }
  std::string_view text() const { return cloister_verdict_text(verdict_.get()); }

 private:
  struct Free {
    void operator()(cloister_verdict* verdict) const { cloister_verdict_free(verdict); }
  };
  std::unique_ptr<cloister_verdict, Free> verdict_;
};

// Throws std::invalid_argument for a policy or collateral that cannot be read; bad evidence is a verdict, never an
// exception.
class VerifierHandle {
 public:
  using Digest = std::array<std::uint8_t, 32>;

  VerifierHandle() : verifier_(cloister_verifier_new()) {
    if (verifier_ == nullptr) throw std::bad_alloc();
  }
  void set_policy(std::string_view toml) {
    check(cloister_verifier_set_policy(verifier_.get(), toml.data(), toml.size()));
  }
  void add_collateral(std::string_view json) {
    check(cloister_verifier_add_collateral(verifier_.get(), json.data(), json.size()));
  }
  void add_rim(const std::string& id, std::string_view xml) {
    check(cloister_verifier_add_rim(verifier_.get(), id.c_str(), xml.data(), xml.size()));
  }
  void set_time(std::int64_t unix_seconds) { cloister_verifier_set_time(verifier_.get(), unix_seconds); }

  VerdictHandle report(std::string_view json, const std::optional<Digest>& nonce,
                       const std::optional<Digest>& tls_spki_sha256 = std::nullopt) const {
    return VerdictHandle(cloister_verify_report(verifier_.get(), json.data(), json.size(),
                                                nonce ? nonce->data() : nullptr,
                                                tls_spki_sha256 ? tls_spki_sha256->data() : nullptr));
  }
  VerdictHandle quote(std::string_view bytes) const {
    return VerdictHandle(
        cloister_verify_quote(verifier_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  }
  VerdictHandle gpu(std::string_view json, const std::optional<Digest>& nonce) const {
    return VerdictHandle(
        cloister_verify_gpu(verifier_.get(), json.data(), json.size(), nonce ? nonce->data() : nullptr));
  }
  VerdictHandle proof(std::string_view json, const std::optional<Digest>& nonce = std::nullopt) const {
    return VerdictHandle(
        cloister_verify_proof_with_nonce(verifier_.get(), json.data(), json.size(), nonce ? nonce->data() : nullptr));
  }
  VerdictHandle snp(std::string_view bytes, const std::uint8_t* report_data64 = nullptr) const {
    return VerdictHandle(cloister_verify_snp(verifier_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                             bytes.size(), report_data64));
  }
  // The checks of absent parts are skipped.
  VerdictHandle receipt(std::string_view json, std::optional<std::string_view> report,
                        const std::optional<Digest>& nonce, std::optional<std::string_view> request,
                        std::optional<std::string_view> response) const {
    const auto data = [](const std::optional<std::string_view>& part) { return part ? part->data() : nullptr; };
    const auto bytes = [&](const std::optional<std::string_view>& part) {
      return reinterpret_cast<const std::uint8_t*>(data(part));
    };
    const auto size = [](const std::optional<std::string_view>& part) { return part ? part->size() : 0; };
    return VerdictHandle(cloister_verify_receipt(verifier_.get(), json.data(), json.size(), data(report), size(report),
                                                 nonce ? nonce->data() : nullptr, bytes(request), size(request),
                                                 bytes(response), size(response)));
  }
  VerdictHandle session(std::string_view json, const std::optional<Digest>& id) const {
    return VerdictHandle(cloister_verify_session(verifier_.get(), json.data(), json.size(), id ? id->data() : nullptr));
  }

 private:
  void check(cloister_outcome outcome) {
    if (outcome != CLOISTER_ACCEPTED) throw std::invalid_argument(cloister_verifier_error(verifier_.get()));
  }
  struct Free {
    void operator()(cloister_verifier* verifier) const { cloister_verifier_free(verifier); }
  };
  std::unique_ptr<cloister_verifier, Free> verifier_;
};

}  // namespace cloister
