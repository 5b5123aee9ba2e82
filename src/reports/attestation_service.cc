#include "reports/attestation_service.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "reports/forms/forms.h"

namespace cloister::reports {
namespace {

constexpr std::int64_t kKeepAgainSeconds = 12 * 3600;
constexpr std::int64_t kCacheTtlSeconds = 300;

Result<std::string> build(const ReportParts& parts, const ReportQuery& query, const identity::Epoch& epoch) {
  switch (query.kind) {
    case ReportKind::kLegacy: return make_legacy_report(parts, query, epoch);
    case ReportKind::kAci: return make_aci_report(parts, query, epoch);
    case ReportKind::kNative: return make_native_report(parts, query, epoch);
  }
  return fail(ErrorCode::kInternal, "there is no such report");
}

}  // namespace

AttestationService::AttestationService(ReportParts parts, WorkerPool& pool, const Clock& clock,
                                       const ReportLimits& limits)
    : parts_(std::move(parts)),
      clock_(clock),
      jobs_(pool),
      fresh_(limits, jobs_, parts_.metrics, [this](const ReportQuery& query) -> Result<Report> {
        TRY(made, make(query));
        keep_current();
        return made.report;
      }) {
  if (parts_.keep_report) listener_ = parts_.identity.on_change([this] { keep_current(); });
}

AttestationService::~AttestationService() {
  listener_.reset();
  jobs_.stop();
}

std::size_t AttestationService::slot(const ReportQuery& query) {
  if (query.kind == ReportKind::kAci) return 8;
  if (query.kind == ReportKind::kNative) return 9;
  return (query.algo == evidence::SigningAlgo::kEd25519 ? 1u : 0u) + (query.include_tls_fingerprint ? 2u : 0u) +
         (query.with_replicas ? 4u : 0u);
}

void AttestationService::report(const ReportQuery& query, Done done) {
  if (query.include_tls_fingerprint && !parts_.identity.now()->tls_spki_sha256) {
    return done(fail(ErrorCode::kUnsupported, "this node does not terminate TLS, so it has no TLS key to bind",
                     "include_tls_fingerprint"));
  }
  if (query.nonce) return fresh_.add(query, std::move(done));
  const std::shared_ptr<const identity::Epoch> epoch = parts_.identity.now();
  std::unique_lock lock(mutex_);
  Cached& cached = cache_[slot(query)];
  const std::int64_t age = clock_.now() - cached.time;
  const bool usable = cached.made.epoch == epoch && age >= 0 && age < kCacheTtlSeconds;
  const bool start = !cached.in_flight && (!usable || age > kCacheTtlSeconds / 2);
  if (start) cached.in_flight = true;
  const Report ready = usable ? cached.made.report : nullptr;
  if (!usable) cached.waiting.push_back(std::move(done));
  lock.unlock();
  if (ready) done(ready);
  if (start && !jobs_.post([this, query] { refresh(query); })) {
    finish_refresh(query, fail(ErrorCode::kBusy, "too many reports are being made; try again"));
  }
}

void AttestationService::refresh(const ReportQuery& query) { finish_refresh(query, make(query)); }

void AttestationService::finish_refresh(const ReportQuery& query, Result<Made> made) {
  std::vector<Done> waiting;
  {
    const std::lock_guard lock(mutex_);
    Cached& cached = cache_[slot(query)];
    cached.in_flight = false;
    waiting.swap(cached.waiting);
    // A legacy report without the model's name is handed out but not cached.
    if (made && !made->provisional && (query.kind != ReportKind::kLegacy || !parts_.model_name().empty())) {
      cached.made = *made;
      cached.time = clock_.now();
    }
  }
  if (made) keep(query, *made);
  for (Done& done : waiting) done(made ? Result<Report>(made->report) : Result<Report>(made.error()));
  if (made) keep_current();
}

void AttestationService::keep(const ReportQuery& query, const Made& made) {
  if (!parts_.keep_report || query.kind == ReportKind::kLegacy || made.provisional) return;
  {
    const std::lock_guard lock(mutex_);
    // Reports of one kind are made one after the other, so none is older than the last one that was kept.
    if (is_kept(query.kind, *made.epoch)) return;
    kept_[static_cast<std::size_t>(query.kind)] = {made.epoch, clock_.now()};
  }
  parts_.keep_report(*made.epoch, to_text(query.kind), *made.report);
}

bool AttestationService::is_kept(ReportKind kind, const identity::Epoch& epoch) const {
  const Kept& kept = kept_[static_cast<std::size_t>(kind)];
  const std::int64_t age = clock_.now() - kept.time;
  return kept.epoch.get() == &epoch && age >= 0 && age < kKeepAgainSeconds;
}

void AttestationService::keep_current() {
  if (!parts_.keep_report) return;
  const std::shared_ptr<const identity::Epoch> epoch = parts_.identity.now();
  for (const ReportKind kind : {ReportKind::kNative, ReportKind::kAci}) {
    const ReportQuery query{.kind = kind};
    if (is_provisional(kind)) continue;
    {
      const std::lock_guard lock(mutex_);
      Cached& cached = cache_[slot(query)];
      if (cached.in_flight || is_kept(kind, *epoch)) continue;
      cached.in_flight = true;
    }
    if (!jobs_.post([this, query] { refresh(query); })) {
      finish_refresh(query, fail(ErrorCode::kBusy, "too many reports are being made; try again"));
    }
  }
}

bool AttestationService::is_provisional(ReportKind kind) const {
  return kind == ReportKind::kNative && parts_.known_answers && !parts_.known_answers();
}

void AttestationService::update_metrics() {
  keep_current();
  if (parts_.metrics == nullptr) return;
  parts_.metrics->set_waiting(fresh_.waiting());
  const std::lock_guard lock(mutex_);
  UnixSeconds newest = 0;
  for (const Cached& cached : cache_) newest = std::max(newest, cached.made.report ? cached.time : 0);
  parts_.metrics->set_report_age(newest != 0 ? clock_.now() - newest : -1);
}

Result<AttestationService::Made> AttestationService::make(const ReportQuery& query) const {
  const auto begun = std::chrono::steady_clock::now();
  const std::shared_ptr<const identity::Epoch> epoch = parts_.identity.now();
  const bool provisional = is_provisional(query.kind);
  Result<std::string> built = build(parts_, query, *epoch);
  if (parts_.metrics != nullptr) {
    if (built) {
      parts_.metrics->observe_report(std::chrono::steady_clock::now() - begun);
    } else {
      parts_.metrics->count_failure();
    }
  }
  if (!built) return built.error();
  return Made{epoch, std::make_shared<const std::string>(*std::move(built)), provisional};
}

}  // namespace cloister::reports
