// The verifier's handle: what evidence is judged with.
#include <string.h>

#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "abi/handles.h"
#include "base/terminal_text.h"
#include "verify/bundle.h"
#include "verify/policy/policy_file.h"

using namespace cloister;
using abi::Refusal;
using abi::Setter;

namespace {

// Absent: nothing stands in the way.
using Done = std::optional<Refusal>;

Done check_bytes(const void* data, std::size_t size, std::size_t most) {
  if (data == nullptr && size != 0) return Refusal{CLOISTER_ERROR_NULL, "NULL with a size other than 0"};
  if (size <= most) return {};
  return Refusal{CLOISTER_ERROR_TOO_LARGE,
                 "expected at most " + std::to_string(most) + " bytes, got " + std::to_string(size)};
}

// Runs `change`, which leaves the verifier's values as they were when it refuses, and remembers the failure.
template <typename Change>
cloister_status change_verifier(cloister_verifier* verifier, Setter setter, Change change) noexcept {
  if (verifier == nullptr) return CLOISTER_ERROR_NULL;
  const auto place = static_cast<std::size_t>(setter);
  // Until the end the setter counts as failed: nothing below may leave without a mark.
  verifier->failed[place] = true;
  verifier->error.clear();
  verifier->why_failed[place].clear();
  try {
    const Done refused = change();
    verifier->failed[place] = refused.has_value();
    if (!refused) return CLOISTER_OK;
    verifier->error = ascii_line(refused->message);
    verifier->why_failed[place] = verifier->error;
    return refused->status;
  } catch (const std::exception&) {
    return CLOISTER_ERROR_MEMORY;
  }
}

constexpr std::size_t kMostRimIdBytes = 128;
// Memory that a piece takes as well as its bytes.
constexpr std::size_t kPieceOverhead = 256;

Done count_collateral(cloister_verifier& verifier, std::size_t bytes) {
  const std::size_t size = bytes + kPieceOverhead;
  if (size > abi::kMostAllCollateralBytes - verifier.collateral_bytes) {
    return Refusal{CLOISTER_ERROR_TOO_LARGE, "expected at most " + std::to_string(abi::kMostAllCollateralBytes) +
                                                 " bytes of collateral in one verifier"};
  }
  verifier.collateral_bytes += size;
  return {};
}

}  // namespace

extern "C" {

uint32_t cloister_abi_version(void) { return CLOISTER_ABI_VERSION; }

cloister_verifier* cloister_verifier_new(void) {
  try {
    return new cloister_verifier;
  } catch (const std::exception&) {
    return nullptr;
  }
}

void cloister_verifier_free(cloister_verifier* verifier) { delete verifier; }

const char* cloister_verifier_error(const cloister_verifier* verifier) {
  return verifier == nullptr ? "no verifier" : verifier->error.c_str();
}

cloister_status cloister_verifier_set_time(cloister_verifier* verifier, int64_t unix_seconds) {
  return change_verifier(verifier, Setter::kTime, [&]() -> Done {
    if (unix_seconds < 0 || unix_seconds > abi::kLastTime)
      return Refusal{CLOISTER_ERROR_TIME, "expected a time of the years 1970 to 9999, in seconds since 1970"};
    verifier->time = unix_seconds;
    verifier->follows_clock = false;
    return {};
  });
}

cloister_status cloister_verifier_follow_clock(cloister_verifier* verifier) {
  return change_verifier(verifier, Setter::kTime, [&]() -> Done {
    verifier->time.reset();
    verifier->follows_clock = true;
    return {};
  });
}

cloister_status cloister_verifier_set_policy(cloister_verifier* verifier, const char* toml, size_t size) {
  return change_verifier(verifier, Setter::kPolicy, [&]() -> Done {
    if (Done refused = check_bytes(toml, size, abi::kMostPolicyBytes)) return refused;
    Result<verify::Policy> policy = verify::parse_policy({toml, size});
    if (!policy) return abi::refusal_of(policy.error());
    verifier->policy = *std::move(policy);
    return {};
  });
}

cloister_status cloister_verifier_add_collateral(cloister_verifier* verifier, const char* text, size_t size) {
  return change_verifier(verifier, Setter::kCollateral, [&]() -> Done {
    if (Done refused = check_bytes(text, size, abi::kMostCollateralBytes)) return refused;
    Result<verify::Collateral> collateral = verify::parse_bundle({text, size});
    if (!collateral) return abi::refusal_of(collateral.error());
    if (Done refused = count_collateral(*verifier, size)) return refused;
    verify::add_collateral(verifier->collateral, *std::move(collateral));
    return {};
  });
}

cloister_status cloister_verifier_add_rim(cloister_verifier* verifier, const char* id, const void* rim, size_t size) {
  return change_verifier(verifier, Setter::kRim, [&]() -> Done {
    if (id == nullptr) return Refusal{CLOISTER_ERROR_NULL, "no id of the manifest"};
    if (Done refused = check_bytes(rim, size, abi::kMostRimBytes)) return refused;
    const std::string name(id, ::strnlen(id, kMostRimIdBytes + 1));
    if (!verify::is_rim_id(name)) return Refusal{CLOISTER_ERROR_MALFORMED, "that is no id of a manifest"};
    if (size == 0) return Refusal{CLOISTER_ERROR_MALFORMED, "the manifest is empty"};
    std::string text(static_cast<const char*>(rim), size);
    if (Done refused = count_collateral(*verifier, size)) return refused;
    verifier->collateral.rims.insert_or_assign(name, std::move(text));
    return {};
  });
}

const char* cloister_default_policy(void) { return verify::kDefaultPolicyText.data(); }

}  // extern "C"
