// AttestationService: builds the legacy attestation report (peers.md sections 1.1, 1.2, 6.1). Collecting evidence is slow
// on hardware, so it runs on the worker pool: reports without a nonce are cached, made once for all who wait and renewed
// in the background. Reports with a nonce are made fresh, one after the other, the clients in turn; a client that asks
// too often, and all beyond a bounded queue, are refused with the time after which to ask again.
#pragma once

#include <array>
#include <condition_variable>
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
#include "serve/client_rates.h"
#include "serve/evidence_metrics.h"
#include "serve/fair_queue.h"
#include "serve/keyring.h"
#include "tee/tee.h"

namespace cloister::serve {

struct ReportQuery {
  evidence::SigningAlgo algo = evidence::SigningAlgo::kEcdsa;
  std::optional<evidence::Nonce> nonce;
  // Bind the TLS key as well: report_data layout L2 instead of L1.
  bool include_tls_fingerprint = false;
  // Who asks (serve/client_name.h); "" is never held to a rate.
  std::string client;
};

struct AttestationParts {
  tee::Tee& tee;
  gpu::GpuEvidenceSource* gpu = nullptr;  // null: a node without GPU evidence
  const Keyring& keyring;
  // SHA-256 of the TLS leaf's SubjectPublicKeyInfo; nothing when this node does not end TLS itself.
  std::optional<ByteArray<32>> tls_spki_sha256;
  // The model's id, or "" while it loads.
  std::function<std::string()> model_name;
  // A node that may serve without GPU evidence says in its reports that it does, and why; else such a report fails.
  bool gpu_optional = false;
  EvidenceMetrics* metrics = nullptr;  // null: nobody counts
};

// Of reports with a nonce.
struct ReportLimits {
  std::size_t queue = 64;                // that wait
  double per_client_per_minute = 60;     // 0: no limit
  double per_client_burst = 60;
  std::size_t most_clients = 4096;       // whose rates are kept
};

class AttestationService {
 public:
  using Report = std::shared_ptr<const std::string>;  // JSON text
  using Done = std::function<void(Result<Report>)>;

  // The pool outlives the service.
  AttestationService(AttestationParts parts, WorkerPool& pool, const Clock& clock, const ReportLimits& limits = {});
  // Waits for the report that is being made.
  ~AttestationService();
  AttestationService(const AttestationService&) = delete;
  AttestationService& operator=(const AttestationService&) = delete;

  // `done` is called once: at once from this thread when the cache answers, else from a worker. Any thread.
  void report(const ReportQuery& query, Done done);

  // Brings the gauges of the metrics up to date.
  void update_metrics();

 private:
  struct Cached {
    Report report;
    UnixSeconds made = 0;
    bool in_flight = false;
    std::vector<Done> waiting;
  };
  struct Waiting {
    ReportQuery query;
    Done done;
  };
  Cached& slot(const ReportQuery& query);
  void fresh(const ReportQuery& query, Done done);
  void refuse(ReportRefusal reason, int retry_after_s, const Done& done);
  int drain_time_s() const;  // with the lock held
  // Runs `job` on the pool, where the destructor waits for it. False when the pool has no room.
  bool post(std::function<void()> job);
  bool is_stopping();
  void post_next();
  void make_next();
  void refresh(ReportQuery query);
  void finish_refresh(const ReportQuery& query, Result<Report> made);
  // build(), counted.
  Result<Report> make(const ReportQuery& query) const;
  Result<Report> build(const ReportQuery& query) const;
  Result<Json> gpu_evidence(const evidence::Nonce& nonce, Json& item) const;

  const AttestationParts parts_;
  WorkerPool& pool_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::array<Cached, 4> cache_;  // by algorithm and TLS binding
  FairQueue<Waiting> queue_;
  ClientRates rates_;
  bool making_ = false;          // a job of the pool takes from the queue
  double made_in_s_ = 0;         // how long the last reports took, smoothed
  std::size_t jobs_ = 0;         // of ours in the pool
  bool stopping_ = false;
};

}  // namespace cloister::serve
