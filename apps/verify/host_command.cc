// cloister verify host URL: verifies a live node with a nonce of our own.
#include "apps/file_options.h"
#include "apps/verify/file_commands.h"
#include "apps/verify/gather.h"
#include "base/encoding.h"
#include "base/file.h"
#include "client/host_check.h"
#include "collateral/evidence_scan.h"
#include "verify/subject/saved_evidence.h"

namespace cloister::apps {

Result<verify::Verdict> verify_host(const VerifyOptions& options) {
  TRY_VOID(check_can_write("--save", options.save));
  TRY_VOID(check_can_write("--bundle", options.bundle));
  TRY(address, node_address(options.target, options.client));
  client::Inquiry inquiry(std::move(address));
  TRY(algo, evidence::parse_signing_algo(options.client.signing_algo));
  TRY(judging, load_judging(options));
  TRY(report, inquiry.ask_host({algo, options.client.model}));
  if (!options.save.empty()) TRY_VOID(write_file_atomically(options.save, report.text, 0644));
  TRY(gathered, gather(collateral::find_evidence(report.text), options, judging));
  client::HostCheck check = client::judge_host(std::move(report), judging.context());
  check.verdict.subject = "host " + options.target;
  if (!options.client.model.empty())
    client::add_model_check(inquiry, check.report, options.client.model, check.verdict);
  check.verdict.facts["nonce"] = to_hex(check.report.nonce);
  check.verdict.facts["collateral"] = std::move(gathered.facts);
  if (!options.bundle.empty()) {
    verify::SavedEvidence saved;
    saved.kind = "report";
    saved.evidence = check.report.text;
    saved.nonce = check.report.nonce;
    saved.tls_spki_sha256 = check.report.tls_spki_sha256;
    saved.saved_at = judging.time;
    saved.collateral = std::move(judging.collateral);
    TRY_VOID(write_file_atomically(options.bundle, verify::write_saved_evidence(saved), 0644));
  }
  return check.verdict;
}

}  // namespace cloister::apps
