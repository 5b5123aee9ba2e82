// Which keys are trusted to sign for NVIDIA's Remote Attestation Service. A key set that came in the same file as the
// token proves nothing: whoever made the token up made the key set up too.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/jwt.h"
#include "crypto/x509.h"
#include "verify/context.h"

namespace cloister::verify {

// NVIDIA Attestation Service GPU Intermediate 004. It certifies the keys that the service uses for two days each.
const crypto::Certificate* pinned_nras_authority();

// The beginning of a key in NvidiaPolicy::nras_keys, before 192 hex digits of x || y.
inline constexpr std::string_view kNrasKeyPrefix = "p384:";
Result<Bytes> read_nras_key(std::string_view policy_text);

class NrasKeys {
 public:
  // Verifies each key of the set in the collateral at the context's time. An error when the set cannot be read. A null
  // authority vouches for no key.
  static Result<NrasKeys> read(const Context& context, const crypto::Certificate* authority);

  enum class Finding { kValid, kInvalid, kUnproven };
  struct Judged {
    Finding finding = Finding::kUnproven;
    std::string source;  // kValid: "live", "pinned" or "policy"
    std::string why;     // otherwise: why the key is not trusted
  };
  // kUnproven: nothing vouches for the key that the token names, so the token's signature proves nothing.
  Judged judge(const codec::Jwt& token) const;

 private:
  struct Believed {
    Bytes point;
    const char* source;
  };
  std::map<std::string, Believed> believed_;     // by key id
  std::map<std::string, std::string> unproven_;  // key id -> reason
  std::vector<Bytes> policy_keys_;
  bool live_ = false;
  bool present_ = false;
};

}  // namespace cloister::verify
