// The shared library's judging calls with arbitrary members: whatever comes in, outcome, status, checks and JSON agree, and nothing
// that failed is accepted. The first byte chooses the call, the second the flags, the third which members are there; the members follow,
// separated by the byte 0xff.
#include <algorithm>
#include <cstring>
#include <string>

#include "cloister/cloister.h"
#include "codec/json.h"
#include "fuzz.h"

namespace {

using cloister::ByteView;

constexpr std::size_t kMostMembers = 11;
constexpr const char* kPolicy =
    "accept_simulator = true\nrequire_nonce = false\n[boot]\nallow_any_measurements = true\n";

// An input as bytes: its size, its flags, its members.
struct RawInput {
  std::uint32_t struct_size, flags;
  cloister_bytes members[kMostMembers];
};

cloister_verifier* make_verifier() {
  cloister_verifier* out = cloister_verifier_new();
  FUZZ_CHECK(cloister_verifier_set_policy(out, kPolicy, std::strlen(kPolicy)) == CLOISTER_OK);
  FUZZ_CHECK(cloister_verifier_set_time(out, 1780272000) == CLOISTER_OK);
  return out;
}

template <typename Input>
cloister_outcome call(cloister_outcome (*judge)(const cloister_verifier*, const Input*, cloister_verdict**),
                      const cloister_verifier* verifier, const RawInput& raw, cloister_verdict** verdict) {
  static_assert(sizeof(Input) <= sizeof(RawInput));
  Input input;
  std::memcpy(&input, &raw, sizeof input);
  input.struct_size = sizeof input;
  return judge(verifier, &input, verdict);
}

cloister_outcome call_by_number(unsigned number, const cloister_verifier* verifier, const RawInput& raw,
                                cloister_verdict** verdict) {
  switch (number % 10) {
    case 0: return call(cloister_verify_report, verifier, raw, verdict);
    case 1: return call(cloister_verify_quote, verifier, raw, verdict);
    case 2: return call(cloister_verify_gpu, verifier, raw, verdict);
    case 3: return call(cloister_verify_snp, verifier, raw, verdict);
    case 4: return call(cloister_verify_receipt, verifier, raw, verdict);
    case 5: return call(cloister_verify_session, verifier, raw, verdict);
    case 6: return call(cloister_verify_signature, verifier, raw, verdict);
    case 7: return call(cloister_verify_proof, verifier, raw, verdict);
    case 8: return call(cloister_verify_archive, verifier, raw, verdict);
    default: return call(cloister_verify_bundle, verifier, raw, verdict);
  }
}

void check_verdict(cloister_outcome outcome, const cloister_verdict* verdict) {
  FUZZ_CHECK(outcome != CLOISTER_NO_OUTCOME && cloister_verdict_outcome(verdict) == outcome);
  FUZZ_CHECK((outcome == CLOISTER_UNREADABLE) == (cloister_verdict_refusal(verdict) != CLOISTER_OK));
  FUZZ_CHECK((outcome == CLOISTER_UNREADABLE) == (cloister_verdict_error(verdict).size != 0));
  FUZZ_CHECK(outcome == CLOISTER_ACCEPTED || cloister_verdict_signing_address(verdict, 0) == nullptr);
  bool failed = false, required_skip = false, required_pass = false;
  for (std::size_t i = 0; i < cloister_verdict_check_count(verdict); ++i) {
    cloister_check check{};
    check.struct_size = sizeof check;
    FUZZ_CHECK(cloister_verdict_check(verdict, i, &check) == CLOISTER_OK && check.id.size != 0);
    failed |= check.state == CLOISTER_FAILED;
    required_skip |= check.required != 0 && check.state == CLOISTER_SKIPPED;
    required_pass |= check.required != 0 && check.state == CLOISTER_PASSED;
  }
  FUZZ_CHECK(!failed || outcome == CLOISTER_REJECTED);
  FUZZ_CHECK(outcome != CLOISTER_ACCEPTED || (!failed && !required_skip && required_pass));
  const cloister_text json = cloister_verdict_json(verdict), tree = cloister_verdict_tree(verdict);
  const auto object = cloister::codec::parse_json({json.data, json.size}, {64u << 20, 128});
  FUZZ_CHECK(object.has_value() && (*object)["verdict"] == cloister_outcome_text(outcome));
  FUZZ_CHECK(tree.size != 0 && std::strlen(tree.data) == tree.size);
}

}  // namespace

FUZZ_TARGET(input) {
  static const cloister_verifier* const verifier = make_verifier();
  if (input.size() < 3) return;
  RawInput raw{};
  raw.flags = input[1];
  const unsigned absent = input[2];
  ByteView rest = input.subspan(3);
  for (std::size_t i = 0; i < kMostMembers && !rest.empty(); ++i) {
    const auto end = static_cast<std::size_t>(std::find(rest.begin(), rest.end(), 0xff) - rest.begin());
    // The evidence itself is always there.
    if (i == 0 || i > 8 || (absent >> (i - 1) & 1) == 0) raw.members[i] = {rest.data(), end};
    rest = rest.subspan(std::min(end + 1, rest.size()));
  }
  cloister_verdict* verdict = nullptr;
  const cloister_outcome outcome = call_by_number(input[0], verifier, raw, &verdict);
  FUZZ_CHECK(verdict != nullptr);
  check_verdict(outcome, verdict);
  cloister_verdict_free(verdict);
  FUZZ_CHECK(call_by_number(input[0], verifier, raw, nullptr) == outcome);
}
