#include "evidence/report_data.h"

#include <algorithm>
#include <cassert>

#include "crypto/hash.h"

namespace cloister::evidence {
namespace {

constexpr std::size_t kHalf = 32;

ReportData with_nonce(ByteView first_half, const Nonce& nonce) {
  assert(first_half.size() <= kHalf);
  ReportData out{};
  std::copy(first_half.begin(), first_half.end(), out.begin());
  std::copy(nonce.begin(), nonce.end(), out.begin() + kHalf);
  return out;
}

}  // namespace

ReportData report_data_l1(ByteView identity, const Nonce& nonce) { return with_nonce(identity, nonce); }

ReportData report_data_l2(ByteView identity, const ByteArray<32>& tls_spki_sha256, const Nonce& nonce) {
  Bytes bound = to_bytes(identity);
  append(bound, tls_spki_sha256);
  return with_nonce(crypto::sha256(bound), nonce);
}

}  // namespace cloister::evidence
