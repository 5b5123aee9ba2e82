// What a node proves about itself: its identity and the reports about it, made from its options.
#pragma once

#include <memory>

#include "config/policy_document.h"
#include "config/serve_options.h"
#include "gpu/gpu_evidence_source.h"
#include "identity/identity.h"
#include "identity/keyring.h"
#include "reports/fresh_reports.h"
#include "reports/replicas.h"
#include "reports/report_parts.h"
#include "tee/tee.h"

namespace cloister::config {

struct Attested {
  PolicySurroundings around;  // the facts that the policy in force was made with
  std::unique_ptr<identity::Identity> identity;
  std::unique_ptr<reports::Replicas> replicas;  // null: none
};

// The key of the listener's certificate, where the node ends TLS itself.
struct TlsKey {
  std::optional<ByteArray<32>> spki_sha256;
  evidence::TlsKeyOrigin origin = evidence::TlsKeyOrigin::kGiven;
};

// Measures the policy into RTMR3, before anything listens. `keyring` outlives it; `tee` may be null. Blocking.
Result<Attested> make_attested(const ServeOptions& options, PolicySurroundings around, const identity::Keyring& keyring,
                               const TlsKey& tls, tee::Tee* tee);

// Measures the policy that these options mean, then puts it in force. After an error the former one stays. Blocking.
Result<void> change_policy(const ServeOptions& options, const Attested& attested, tee::Tee* tee);

// The parts of reports, as far as the options state them. `gpu` may be null; all arguments but the options outlive the parts.
reports::ReportParts report_parts(const ServeOptions& options, tee::Tee& tee, gpu::GpuEvidenceSource* gpu,
                                  const identity::Keyring& keyring, const Attested& attested);
reports::ReportLimits report_limits(const ServeOptions& options);

}  // namespace cloister::config
