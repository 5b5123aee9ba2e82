// Verifies the report of a node: the verdict says what the node may be trusted with. This is separate from asking
// for the report (Inquiry), because the data that the makers of the chips publish is fetched in between
// (src/collateral).
#pragma once

#include <string>
#include <vector>

#include "client/inquiry.h"
#include "verify/report.h"
#include "verify/verdict.h"

namespace cloister::client {

// What was found out about a node before any content is sent to it.
struct HostCheck {
  HostReport report;
  verify::Verdict verdict;
  std::vector<std::string>
      attested_addresses;  // addresses of legacy signatures; meaningful only if the verdict is accepted

  bool accepted() const { return verdict.outcome() == verify::Outcome::kAccepted; }
};

// Must be called, and its verdict heeded, before any content is sent to the node (VerifiedConnection).
HostCheck judge_host(HostReport report, const verify::Context& context);

// True when the node's replies have receipts: its report is in Cloister's own form, and the policy document in it,
// which an accepted verdict binds, does not say that nothing is signed.
bool gives_receipts(const HostReport& report);

// True when the configuration that the report binds belongs to a node with receipts, while the report is of a form
// without them: every such node has Cloister's own form, so somebody withholds it.
bool hides_receipts(const HostCheck& host);

// Checks whether the node serves the model that was asked for (report.model, verify/asked_model.h). Where the report
// does not name the model, the node is asked for its list of models here.
void add_model_check(Inquiry& node, const HostReport& report, const std::string& model, verify::Verdict& verdict);

}  // namespace cloister::client
