// What the opaque handles of cloister.h are.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cloister/cloister.h"
#include "verify/context.h"
#include "verify/tdx/collateral_cache.h"
#include "verify/verdict.h"

namespace cloister::abi {

// The setters of a verifier, by which a failure is remembered.
enum class Setter { kTime, kPolicy, kCollateral, kRim };
inline constexpr std::size_t kSetters = 4;

}  // namespace cloister::abi

struct cloister_verifier {
  cloister::verify::Policy policy;
  cloister::verify::Collateral collateral;
  std::optional<cloister::UnixSeconds> time;  // absent until one is set
  bool follows_clock = false;                 // each verdict is for the time at which it is made
  std::size_t collateral_bytes = 0;           // of all that was added
  std::string error;
  // What failed and has not succeeded since: nothing is judged until it does, since a former value is not what was asked for.
  std::array<bool, cloister::abi::kSetters> failed{};
  std::array<std::string, cloister::abi::kSetters> why_failed;
  // Verification changes the cache, which any number of threads may use.
  mutable cloister::verify::TdxCollateralCache tdx_cache;
};

struct cloister_verdict {
  cloister_outcome outcome = CLOISTER_UNREADABLE;
  cloister_status status = CLOISTER_OK;
  std::string error;
  cloister::verify::Verdict verdict;   // without checks where nothing was judged
  std::vector<std::string> addresses;  // that an accepted verdict attests

  // The written forms, each made when it is asked for.
  struct Written {
    std::once_flag once;
    std::string text;
  };
  mutable Written json, tree, summary;
};

namespace cloister::abi {

// The largest inputs that are no evidence, and so have no limit in verify/subject/input_forms.h.
inline constexpr std::size_t kMostPolicyBytes = 1u << 20;
inline constexpr std::size_t kMostManifestBytes = 1u << 20;
inline constexpr std::size_t kMostCollateralBytes = 64u << 20;
inline constexpr std::size_t kMostAllCollateralBytes = 256u << 20;
inline constexpr std::size_t kMostRimBytes = 2u << 20;
inline constexpr std::size_t kMostNameBytes = 4096;
// The end of the year 9999: later times have no RFC 3339 form.
inline constexpr std::int64_t kLastTime = 253402300799;

// Why nothing was done.
struct Refusal {
  cloister_status status = CLOISTER_ERROR_MALFORMED;
  std::string message;
};

// The Refusal that an Error of the verifier's own rooms is.
inline Refusal refusal_of(const Error& error) {
  return {error.code == ErrorCode::kTooLarge ? CLOISTER_ERROR_TOO_LARGE : CLOISTER_ERROR_MALFORMED, error.message};
}

}  // namespace cloister::abi
