// Files that hold everything: what they say of their own time and nonce opens them and never counts.
#include <functional>
#include <string>

#include "base/testing/vectors.h"
#include "evidence/archive.h"
#include "evidence/proof.h"
#include "tests/abi/abi_test_util.h"
#include "verify/bundle.h"
#include "verify/subject/saved_evidence.h"

namespace cloister::testing {
namespace {

constexpr std::string_view kRequest = R"({"model":"m"})", kResponse = R"({"id":"1"})";

cloister_file_input file_input(const std::string& file) {
  auto in = input<cloister_file_input>();
  in.file = bytes(file);
  return in;
}

VerifierHandle timeless() {
  VerifierHandle out;
  out.set_policy(kAcceptSimulator);
  return out;
}

std::string proof_file() {
  evidence::Proof proof;
  proof.url = "http://127.0.0.1:8080";
  proof.time = kJudgedAt;
  proof.nonce_hex = to_hex(test_nonce());
  proof.request = to_bytes(as_bytes(kRequest));
  proof.response = to_bytes(as_bytes(kResponse));
  proof.signature = node().sign(evidence::SigningAlgo::kEcdsa, kRequest, kResponse);
  proof.report = legacy_report();
  return evidence::write_proof(proof);
}

evidence::Archive archive() {
  const ServiceCase c = native_case();
  evidence::Archive out;
  out.judged_at = kJudgedAt;
  out.receipt = codec::write_json(c.receipt);
  out.report = codec::write_json(c.report);
  out.nonce = test_nonce();
  out.request = c.request;
  out.response = c.response;
  return out;
}

verify::SavedEvidence saved_report() {
  verify::SavedEvidence out;
  out.kind = "report";
  out.evidence = legacy_report();
  out.nonce = test_nonce();
  out.saved_at = kJudgedAt;
  return out;
}

struct Form {
  const char* name;
  VerdictHandle (VerifierHandle::*judge)(const cloister_file_input&) const;
  std::string file;
};

std::vector<Form> forms() {
  return {{"proof", &VerifierHandle::proof, proof_file()},
          {"archive", &VerifierHandle::archive, evidence::write_archive(archive())},
          {"bundle", &VerifierHandle::bundle, verify::write_saved_evidence(saved_report())}};
}

TEST(HeldFiles, AreAcceptedByThoseWhoKnowTimeAndNonce) {
  const evidence::Nonce nonce = test_nonce();
  for (const Form& form : forms()) {
    cloister_file_input in = file_input(form.file);
    in.nonce = bytes(nonce);
    const VerdictHandle verdict = (simulator_verifier().*form.judge)(in);
    EXPECT_TRUE(verdict.accepted()) << form.name << "\n" << verdict.tree();
    EXPECT_EQ(state_of(verdict, "file.time"), CLOISTER_PASSED) << form.name;
  }
}

TEST(HeldFiles, TheirOwnTimeDoesNotCount) {
  const evidence::Nonce nonce = test_nonce();
  for (const Form& form : forms()) {
    cloister_file_input in = file_input(form.file);
    in.nonce = bytes(nonce);
    const VerdictHandle verdict = (timeless().*form.judge)(in);
    EXPECT_EQ(verdict.outcome(), CLOISTER_UNDETERMINED) << form.name;
    EXPECT_EQ(state_of(verdict, "file.time"), CLOISTER_SKIPPED) << form.name;
  }
}

TEST(HeldFiles, TheirOwnNonceDoesNotCount) {
  const evidence::Nonce other{1};
  for (const Form& form : forms()) {
    cloister_file_input in = file_input(form.file);
    const VerdictHandle verdict = (simulator_verifier().*form.judge)(in);
    EXPECT_EQ(verdict.outcome(), CLOISTER_UNDETERMINED) << form.name;
    EXPECT_EQ(state_of(verdict, "report_data.nonce"), CLOISTER_SKIPPED) << form.name;
    EXPECT_EQ(parsed(verdict)["facts"]["file_says"]["nonce"], to_hex(test_nonce()));
    in.nonce = bytes(other);
    EXPECT_EQ((simulator_verifier().*form.judge)(in).outcome(), CLOISTER_REJECTED) << form.name;
  }
}

TEST(HeldFiles, NoneTakesThePlaceOfAnother) {
  const std::vector<Form> all = forms();
  for (const Form& form : all) {
    for (const Form& other : all) {
      if (form.file == other.file) continue;
      expect_refused((simulator_verifier().*form.judge)(file_input(other.file)), CLOISTER_ERROR_MALFORMED);
    }
    auto report = input<cloister_report_input>();
    report.report = bytes(form.file);
    expect_refused(simulator_verifier().report(report), CLOISTER_ERROR_MALFORMED);
    auto receipt = input<cloister_receipt_input>();
    receipt.receipt = bytes(form.file);
    expect_refused(simulator_verifier().receipt(receipt), CLOISTER_ERROR_MALFORMED);
  }
}

// What a verifier accepts beside a receipt has room in an archive.
TEST(HeldFiles, AReplyWithinItsOwnBoundFitsIntoAnArchive) {
  evidence::Archive large = archive();
  large.response = std::string(64u << 20, 'x');
  const std::string file = evidence::write_archive(large);
  EXPECT_GT(file.size(), 64u << 20);
  const evidence::Nonce nonce = test_nonce();
  cloister_file_input in = file_input(file);
  in.nonce = bytes(nonce);
  const VerdictHandle verdict = simulator_verifier().archive(in);
  EXPECT_EQ(verdict.outcome(), CLOISTER_REJECTED) << verdict.error();
  EXPECT_EQ(state_of(verdict, "receipt.response_hash"), CLOISTER_FAILED) << "it was read, and is another";
}

TEST(HeldFiles, AreNamedInTheVerdict) {
  const std::vector<Form> all = forms();
  EXPECT_EQ(parsed((simulator_verifier().*all[1].judge)(file_input(all[1].file)))["subject"], "archive");
  EXPECT_EQ(parsed((simulator_verifier().*all[2].judge)(file_input(all[2].file)))["subject"],
            "saved evidence of a report");
}

// What nobody could compare is refused, by the form and the kind of what is in it.
TEST(HeldFiles, NamedValuesAreComparedOrRefused) {
  const std::string address = "0x" + std::string(40, 'a'), data(64, 'd'), hex(64, 'e');
  const std::string manifest = codec::write_json(to_json(model_manifest()));
  struct Row {
    cloister_bytes cloister_file_input::*member;
    std::string value;
    std::set<std::string> forms;  // those that compare it
  };
  const std::vector<Row> rows = {{&cloister_file_input::request, "x", {"archive"}},
                                 {&cloister_file_input::response, "x", {"archive"}},
                                 {&cloister_file_input::id, hex, {"archive"}},
                                 {&cloister_file_input::model, "x", {"archive"}},
                                 {&cloister_file_input::address, address, {}},
                                 {&cloister_file_input::report_data, data, {}},
                                 {&cloister_file_input::model_manifest, manifest, {"proof", "archive", "bundle"}}};
  for (const Row& row : rows) {
    for (const Form& form : forms()) {
      cloister_file_input in = file_input(form.file);
      in.*row.member = bytes(row.value);
      const VerdictHandle verdict = (simulator_verifier().*form.judge)(in);
      if (!row.forms.contains(form.name)) {
        expect_refused(verdict, CLOISTER_ERROR_COMPARISON, "to compare with the value of");
        continue;
      }
      EXPECT_NE(verdict.outcome(), CLOISTER_ACCEPTED) << form.name << " " << row.value;
      EXPECT_EQ(verdict.refusal(), CLOISTER_OK) << verdict.error();
    }
  }
}

TEST(HeldFiles, OwnValuesTakeThePlaceOfTheFiles) {
  const std::string file = evidence::write_archive(archive());
  const evidence::Nonce nonce = test_nonce();
  cloister_file_input in = file_input(file);
  in.nonce = bytes(nonce);
  const ServiceCase c = native_case();
  in.request = bytes(c.request);
  in.response = bytes(c.response);
  in.id = bytes(*c.id);
  in.model = bytes(*c.model);
  const VerdictHandle same = simulator_verifier().archive(in);
  EXPECT_TRUE(same.accepted()) << same.tree();
  in.response = bytes(std::string_view("another"));
  const VerdictHandle other = simulator_verifier().archive(in);
  EXPECT_EQ(other.outcome(), CLOISTER_REJECTED);
  EXPECT_EQ(state_of(other, "receipt.response_hash"), CLOISTER_FAILED);
}

TEST(HeldFiles, ABundleBringsItsCollateralAndNeverTheVerifierAny) {
  verify::SavedEvidence saved;
  saved.kind = "quote";
  saved.evidence = vector_text("tdx/v4_b0c06f_uptodate.bin");
  saved.saved_at = 1750809600;  // 2025-06-25
  saved.collateral = *verify::parse_bundle(vector_text("tdx/v4_b0c06f_uptodate.collateral.json"));
  const std::string file = verify::write_saved_evidence(saved);
  const std::string report_data = saved.evidence.substr(568, 64);
  VerifierHandle judge;
  judge.set_policy("[boot]\nallow_any_measurements = true");
  judge.set_time(saved.saved_at);
  cloister_file_input in = file_input(file);
  EXPECT_EQ(judge.bundle(in).outcome(), CLOISTER_UNDETERMINED) << "it may be old";
  in.report_data = bytes(report_data);
  const VerdictHandle verdict = judge.bundle(in);
  EXPECT_TRUE(verdict.accepted()) << verdict.tree();
  auto quote = input<cloister_quote_input>();
  quote.quote = bytes(saved.evidence);
  quote.report_data = bytes(report_data);
  EXPECT_EQ(judge.quote(quote).outcome(), CLOISTER_UNDETERMINED) << "the file's collateral went with the file";
}

// Saved with the evidence, a name would be the file's own.
TEST(HeldFiles, NamesInAFileNameNothing) {
  const std::string folder = "reports/live/near_chat_20260602.";
  verify::SavedEvidence saved;
  saved.kind = "signature";
  saved.evidence = vector_text(folder + "signature.json");
  saved.beside = {{"request", vector_text(folder + "request.json")},
                  {"response", vector_text(folder + "response.txt")},
                  {"address", "0x6525e128afcffebf7eed05d485d7be983cdae934"}};
  saved.saved_at = 1780358400;  // 2026-06-02
  const std::string file = verify::write_saved_evidence(saved);
  VerifierHandle judge;
  judge.set_time(saved.saved_at);
  cloister_file_input in = file_input(file);
  const VerdictHandle alone = judge.bundle(in);
  EXPECT_EQ(alone.outcome(), CLOISTER_UNDETERMINED);
  EXPECT_EQ(state_of(alone, "signature.signer_attested"), CLOISTER_SKIPPED);
  in.address = bytes(saved.beside["address"]);
  const VerdictHandle named = judge.bundle(in);
  EXPECT_TRUE(named.accepted()) << named.tree();
}

TEST(HeldFiles, ASavedKindThatNobodyKnowsIsRefused) {
  verify::SavedEvidence saved = saved_report();
  saved.kind = "crystal";
  const std::string file = verify::write_saved_evidence(saved);
  expect_refused(simulator_verifier().bundle(file_input(file)), CLOISTER_ERROR_MALFORMED, "crystal");
  saved.kind = "snp";
  saved.evidence.assign(65537, 'x');
  const std::string large = verify::write_saved_evidence(saved);
  expect_refused(simulator_verifier().bundle(file_input(large)), CLOISTER_ERROR_TOO_LARGE, "65536 bytes");
}

TEST(HeldFiles, ABeginningCountsForThoseWhoAskAboutOne) {
  evidence::Archive held = archive();
  held.prefix_proof = R"({"not":"a proof"})";
  const std::string file = evidence::write_archive(held);
  const evidence::Nonce nonce = test_nonce();
  cloister_file_input in = file_input(file);
  in.nonce = bytes(nonce);
  EXPECT_NE(simulator_verifier().archive(in).outcome(), CLOISTER_ACCEPTED) << "the proof is none";
  // An own reply makes it an archive without a proof.
  in.response = bytes(*held.response);
  EXPECT_TRUE(simulator_verifier().archive(in).accepted());
  in.flags = CLOISTER_FILE_BEGINNING;
  EXPECT_TRUE(simulator_verifier().archive(in).accepted()) << "the whole reply is more than a beginning";
}

}  // namespace
}  // namespace cloister::testing
