// What every judging call refuses: inputs that cannot be used, whatever the evidence in them.
#include <cstring>
#include <string>

#include "base/testing/vectors.h"
#include "crypto/hash.h"
#include "evidence/json_reader.h"
#include "tests/abi/abi_test_util.h"

namespace cloister::testing {
namespace {

template <typename Input>
using Call = cloister_outcome (*)(const cloister_verifier*, const Input*, cloister_verdict**);

// One call with a structure, or a part of it, that cannot be used.
template <typename Input>
void expect_refusal(const char* what, Call<Input> call, const cloister_verifier* verifier, const Input* input,
                    cloister_status status) {
  cloister_verdict* verdict = reinterpret_cast<cloister_verdict*>(1);  // whatever stood there is not kept
  EXPECT_EQ(call(verifier, input, &verdict), CLOISTER_UNREADABLE) << what;
  ASSERT_NE(verdict, nullptr) << what;
  expect_refused(VerdictHandle(CLOISTER_UNREADABLE, verdict), status);
  EXPECT_EQ(call(verifier, input, nullptr), CLOISTER_UNREADABLE) << what;
}

// `most` is the size of the largest evidence of this kind.
template <typename Input>
void expect_refusals(Call<Input> call, cloister_bytes Input::*evidence, std::size_t most, std::uint32_t known_flags) {
  cloister_verifier* verifier = cloister_verifier_new();
  ASSERT_EQ(cloister_verifier_set_time(verifier, kJudgedAt), CLOISTER_OK);
  struct Later {
    Input input;
    unsigned char tail[64];
  };
  const auto fresh = [&] {
    Later later;
    std::memset(&later, 0, sizeof later);
    later.input.struct_size = sizeof(Input);
    later.input.*evidence = {"{}", 2};
    return later;
  };
  Later later = fresh();
  expect_refusal<Input>("no verifier", call, nullptr, &later.input, CLOISTER_ERROR_NULL);
  expect_refusal<Input>("no input", call, verifier, nullptr, CLOISTER_ERROR_NULL);
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, sizeof(Input) - 16, sizeof(Input) - 1,
                                 std::size_t{4097}, std::size_t{0xffffffff}}) {
    later.input.struct_size = static_cast<std::uint32_t>(size);
    expect_refusal<Input>("struct_size", call, verifier, &later.input, CLOISTER_ERROR_STRUCT_SIZE);
  }
  later.input.struct_size = sizeof later;
  later.tail[63] = 1;
  expect_refusal<Input>("a later member", call, verifier, &later.input, CLOISTER_ERROR_STRUCT_SIZE);
  later.tail[63] = 0;
  later.input.*evidence = {"", 0};
  expect_refusal<Input>("a later structure, and empty evidence", call, verifier, &later.input,
                        CLOISTER_ERROR_MALFORMED);

  later = fresh();
  for (int bit = 0; bit < 32; ++bit) {
    later.input.flags = 1u << bit;
    if ((later.input.flags & known_flags) == 0)
      expect_refusal<Input>("a flag", call, verifier, &later.input, CLOISTER_ERROR_FLAGS);
  }

  later = fresh();
  later.input.*evidence = {nullptr, 0};
  expect_refusal<Input>("no evidence", call, verifier, &later.input, CLOISTER_ERROR_NULL);
  later.input.*evidence = {nullptr, 10};
  expect_refusal<Input>("NULL with a size", call, verifier, &later.input, CLOISTER_ERROR_NULL);
  // Nothing behind the pointer is looked at.
  later.input.*evidence = {"", most + 1};
  expect_refusal<Input>("too large", call, verifier, &later.input, CLOISTER_ERROR_TOO_LARGE);
  later.input.*evidence = {"", SIZE_MAX};
  expect_refusal<Input>("the largest size", call, verifier, &later.input, CLOISTER_ERROR_TOO_LARGE);
  later.input.*evidence = {"\0\xff no evidence", 15};
  expect_refusal<Input>("garbage", call, verifier, &later.input, CLOISTER_ERROR_MALFORMED);
  cloister_verifier_free(verifier);
}

TEST(Judging, EveryCallRefusesWhatCannotBeUsed) {
  expect_refusals(cloister_verify_report, &cloister_report_input::report, 16 * kMiB, CLOISTER_REPORT_AS_DOCUMENT);
  expect_refusals(cloister_verify_quote, &cloister_quote_input::quote, kMiB, 0);
  expect_refusals(cloister_verify_gpu, &cloister_gpu_input::evidence, 16 * kMiB, 0);
  expect_refusals(cloister_verify_snp, &cloister_snp_input::report, 65536, 0);
  expect_refusals(cloister_verify_receipt, &cloister_receipt_input::receipt, kMiB, 0);
  expect_refusals(cloister_verify_session, &cloister_session_input::session, 16 * kMiB, 0);
  expect_refusals(cloister_verify_signature, &cloister_signature_input::signature, kMiB, 0);
  expect_refusals(cloister_verify_proof, &cloister_file_input::file, 64 * kMiB, 0);
  expect_refusals(cloister_verify_archive, &cloister_file_input::file, 192 * kMiB, CLOISTER_FILE_BEGINNING);
  expect_refusals(cloister_verify_bundle, &cloister_file_input::file, 192 * kMiB, CLOISTER_FILE_BEGINNING);
}

// Each optional member of an input, by what its size may be.
template <typename Input>
void expect_member_refused(VerdictHandle (VerifierHandle::*judge)(const Input&) const, Input good,
                           cloister_bytes Input::*member, const cloister_bytes& value, cloister_status status) {
  good.*member = value;
  expect_refused((simulator_verifier().*judge)(good), status);
}

TEST(Judging, ValuesOfFixedSizeHaveNoOther) {
  const std::string many(65, 'x');
  for (const std::size_t size : {0, 1, 31, 33, 64}) {
    const cloister_bytes value = {many.data(), size};
    const auto report = report_input();
    expect_member_refused(&VerifierHandle::report, report, &cloister_report_input::nonce, value, CLOISTER_ERROR_SIZE);
    expect_member_refused(&VerifierHandle::report, report, &cloister_report_input::tls_spki_sha256, value,
                          CLOISTER_ERROR_SIZE);
  }
  auto quote = input<cloister_quote_input>();
  quote.quote = bytes(std::string_view("04000200"));
  auto snp = input<cloister_snp_input>();
  snp.report = bytes(many);
  for (const std::size_t size : {0, 32, 63, 65}) {
    const cloister_bytes value = {many.data(), size};
    expect_member_refused(&VerifierHandle::quote, quote, &cloister_quote_input::report_data, value,
                          CLOISTER_ERROR_SIZE);
    expect_member_refused(&VerifierHandle::snp, snp, &cloister_snp_input::report_data, value, CLOISTER_ERROR_SIZE);
  }
  expect_member_refused(&VerifierHandle::report, report_input(), &cloister_report_input::nonce,
                        cloister_bytes{nullptr, 32}, CLOISTER_ERROR_NULL);
}

// A buffer that nobody filled is no nonce: a replayed report may have been made for it.
TEST(Judging, AValueThatNobodyFilledIsRefused) {
  const std::string zeros(64, '\0');
  const cloister_bytes half = {zeros.data(), 32}, whole = {zeros.data(), 64};
  for (const Json& served : {node().report({.nonce = {}}), service().aci_report(evidence::Nonce{}),
                             service().native_report(evidence::Nonce{})}) {
    const std::string report = codec::write_json(served);
    cloister_report_input in = report_input();
    in.report = bytes(report);
    in.flags = CLOISTER_REPORT_AS_DOCUMENT;
    in.nonce = half;
    expect_refused(simulator_verifier().report(in), CLOISTER_ERROR_MALFORMED, "nonce: it is all zeros");
  }
  cloister_report_input report = report_input();
  report.tls_spki_sha256 = half;
  expect_refused(simulator_verifier().report(report), CLOISTER_ERROR_MALFORMED, "tls_spki_sha256");
  const std::string evidence = vector_text("tdx/v4_b0c06f_uptodate.bin"), snp_report = vector_text("snp/genoa_v5.bin");
  auto quote = input<cloister_quote_input>();
  quote.quote = bytes(evidence);
  quote.report_data = whole;
  expect_refused(simulator_verifier().quote(quote), CLOISTER_ERROR_MALFORMED, "report-data");
  auto snp = input<cloister_snp_input>();
  snp.report = bytes(snp_report);
  snp.report_data = whole;
  expect_refused(simulator_verifier().snp(snp), CLOISTER_ERROR_MALFORMED, "report-data");
}

TEST(Judging, NamesAreNeitherEmptyNorEndless) {
  const std::string most(4096, 'm'), more(4097, 'm');
  auto in = report_input();
  const auto member = &cloister_report_input::model;
  expect_member_refused(&VerifierHandle::report, in, member, bytes(std::string_view()), CLOISTER_ERROR_MALFORMED);
  expect_member_refused(&VerifierHandle::report, in, member, bytes(more), CLOISTER_ERROR_TOO_LARGE);
  expect_member_refused(&VerifierHandle::report, in, member, cloister_bytes{nullptr, 4}, CLOISTER_ERROR_NULL);
  in.model = bytes(most);
  EXPECT_EQ(simulator_verifier().report(in).outcome(), CLOISTER_UNDETERMINED) << "no list of models was asked for";
}

TEST(Judging, WithoutATimeNothingIsJudged) {
  VerifierHandle timeless;
  timeless.set_policy(kAcceptSimulator);
  expect_refused(timeless.report(report_input()), CLOISTER_ERROR_TIME, "cloister_verifier_follow_clock");
  timeless.set_time(0);
  EXPECT_EQ(timeless.report(report_input()).outcome(), CLOISTER_REJECTED) << "nothing is valid in 1970";
}

}  // namespace
}  // namespace cloister::testing
