// AttestationService: builds the legacy attestation report (peers.md sections 1.1, 1.2, 6.1). Collecting evidence is slow
// on hardware, so it runs on the worker pool: reports without a nonce are cached, made once for all who wait and renewed
// in the background; reports with a nonce are made fresh, and refused with kBusy when too many wait.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/worker_pool.h"
#include "evidence/report_data.h"
#include "gpu/gpu_evidence_source.h"
#include "serve/keyring.h"
#include "tee/tee.h"

namespace cloister::serve {

struct ReportQuery {
  evidence::SigningAlgo algo = evidence::SigningAlgo::kEcdsa;
  std::optional<evidence::Nonce> nonce;
  // Bind the TLS key as well: report_data layout L2 instead of L1.
  bool include_tls_fingerprint = false;
};

struct AttestationParts {
  tee::Tee& tee;
  gpu::GpuEvidenceSource* gpu = nullptr;  // null: a node without GPU evidence
  const Keyring& keyring;
  // SHA-256 of the TLS leaf's SubjectPublicKeyInfo; nothing when this node does not end TLS itself.
  std::optional<ByteArray<32>> tls_spki_sha256;
  // The model's id, or "" while it loads.
  std::function<std::string()> model_name;
};

class AttestationService {
 public:
  using Report = std::shared_ptr<const std::string>;  // JSON text
  using Done = std::function<void(Result<Report>)>;

  AttestationService(AttestationParts parts, WorkerPool& pool, const Clock& clock)
      : parts_(std::move(parts)), pool_(pool), clock_(clock) {}

  // `done` is called once: at once from this thread when the cache answers, else from a worker. Any thread.
  void report(const ReportQuery& query, Done done);

 private:
  struct Cached {
    Report report;
    UnixSeconds made = 0;
    bool in_flight = false;
    std::vector<Done> waiting;
  };
  Cached& slot(const ReportQuery& query);
  void refresh(ReportQuery query);
  void finish_refresh(const ReportQuery& query, Result<Report> made);
  Result<Report> build(const ReportQuery& query) const;

  const AttestationParts parts_;
  WorkerPool& pool_;
  const Clock& clock_;
  std::mutex mutex_;
  std::array<Cached, 4> cache_;  // by algorithm and TLS binding
};

}  // namespace cloister::serve
