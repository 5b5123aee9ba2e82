#include "verify/nvidia/revocation.h"

#include <algorithm>
#include <span>

#include "base/clock.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

using crypto::Certificate;
using crypto::OcspStatus;

constexpr std::int64_t kHour = 3600;
constexpr std::size_t kMostResponses = 1024;
// The most answers about one certificate; each costs up to two signature verifications.
constexpr int kMostAnswers = 8;

}  // namespace

RevocationList::RevocationList(const Context& context, crypto::VerifiedLinks& cache)
    : context_(context), cache_(cache) {
  for (const Bytes& der : context.collateral.ocsp_responses) {
    if (responses_.size() == kMostResponses) break;
    if (Result<crypto::OcspResponse> response = crypto::OcspResponse::from_der(der); response) {
      responses_.push_back(*std::move(response));
    } else {
      ++unreadable_;
    }
  }
}

std::string RevocationList::staleness(const crypto::OcspAnswer& answer) const {
  if (const auto current = crypto::check_ocsp_window(answer, context_.time); !current) return current.error().message;
  // If our own live request carried a nonce, the answer must carry it too; a cached answer without it may be old.
  const std::vector<Bytes>& nonces = context_.collateral.ocsp_nonces;
  const bool live = !nonces.empty();
  if (live && (!answer.nonce || std::ranges::find(nonces, *answer.nonce) == nonces.end())) {
    return "the answer does not hold the nonce that was sent";
  }
  const std::uint32_t hours = context_.policy.nvidia.max_ocsp_age_hours;
  if ((!live || !answer.next_update) && context_.time - answer.this_update > std::int64_t{hours} * kHour) {
    return "the answer is of " + to_rfc3339(answer.this_update) + ", older than " + std::to_string(hours) +
           " hours at " + to_rfc3339(context_.time);
  }
  return {};
}

RevocationList::Judged RevocationList::judge_status(const crypto::OcspAnswer& answer) const {
  const NvidiaPolicy& policy = context_.policy.nvidia;
  const std::string status(crypto::to_text(answer.status));
  // A revocation is permanent: an old answer that reports one counts. Every other status changes with time.
  const bool revoked_before = answer.status == OcspStatus::kRevoked && answer.this_update <= context_.time;
  if (std::string why = staleness(answer); !why.empty() && !revoked_before) {
    return {Finding::kStale, status, std::move(why)};
  }
  switch (answer.status) {
    case OcspStatus::kGood: return {Finding::kGood, status, {}};
    case OcspStatus::kOnHold:
      if (policy.allow_certificate_hold) return {Finding::kTolerated, status, "on hold, and the policy accepts that"};
      return {Finding::kBad, status, "its maker holds it back (certificateHold)"};
    case OcspStatus::kRevoked: return {Finding::kBad, status, "its maker has revoked it"};
    case OcspStatus::kUnknown: return {Finding::kBad, status, "its maker does not know it"};
  }
  return {Finding::kBad, status, "unknown status"};
}

RevocationList::Judged RevocationList::judge_answer(const crypto::OcspResponse& response,
                                                    const std::vector<Certificate>& chain, std::size_t index) {
  const auto answer = response.verify(chain[index], std::span(chain).subspan(index + 1), &cache_);
  if (!answer) return {Finding::kBad, "invalid", answer.error().message};
  return judge_status(*answer);
}

// Several answers about one certificate: one with a bad status takes precedence over all others; else any good one,
// else any that verifies.
const RevocationList::Judged& RevocationList::judge(const std::vector<Certificate>& chain, std::size_t index) {
  Bytes key = chain[index].der();
  append(key, chain[index + 1].der());
  if (const auto known = judged_.find(key); known != judged_.end()) return known->second;
  Judged best{Finding::kMissing, "none", "no answer about it"};
  if (unreadable_ > 0) best.why += " (" + std::to_string(unreadable_) + " responses could not be read)";
  int answers = 0;
  for (const crypto::OcspResponse& response : responses_) {
    if (!response.is_about(chain[index], chain[index + 1])) continue;
    if (++answers > kMostAnswers) {
      best = {Finding::kBad, "invalid", "more than 8 answers about it"};
      break;
    }
    Judged judged = judge_answer(response, chain, index);
    const bool told = judged.finding == Finding::kBad && judged.status != "invalid";
    if (told) {
      best = std::move(judged);
      break;
    }
    const bool good = judged.finding == Finding::kGood || judged.finding == Finding::kTolerated;
    const bool better =
        best.finding == Finding::kMissing || best.finding == Finding::kBad || (best.finding == Finding::kStale && good);
    if (better) best = std::move(judged);
  }
  return judged_.emplace(std::move(key), std::move(best)).first->second;
}

Check RevocationList::check(std::string id, const std::vector<Certificate>& chain, std::size_t first) {
  if (chain.size() < first + 2) return skipped(std::move(id), "the certificates could not be read");
  const bool required = context_.policy.nvidia.require_revocation;
  std::string missing, tolerated;
  for (std::size_t i = first; i + 1 < chain.size(); ++i) {
    const Judged& judged = judge(chain, i);
    const std::string where = "certificate " + std::to_string(i + 1) + ": " + judged.why;
    switch (judged.finding) {
      case Finding::kBad: return failed(std::move(id), where, "good", judged.status);
      case Finding::kStale:
        if (required) return failed(std::move(id), where, "good", judged.status);
        [[fallthrough]];
      case Finding::kMissing:
        if (missing.empty()) missing = where;
        break;
      case Finding::kTolerated: tolerated = where; break;
      case Finding::kGood: break;
    }
  }
  if (!missing.empty()) {
    if (!required) {
      return not_applicable(std::move(id), "the policy does not ask for revocation; " + missing);
    }
    return skipped(std::move(id), missing);
  }
  const std::string count = std::to_string(chain.size() - 1 - first);
  return passed(std::move(id), count + (tolerated.empty() ? " good" : " judged"), tolerated);
}

}  // namespace cloister::verify
