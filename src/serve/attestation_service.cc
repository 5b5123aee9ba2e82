#include "serve/attestation_service.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/event_log.h"
#include "evidence/gpu_evidence.h"

namespace cloister::serve {
namespace {

constexpr std::int64_t kCacheTtlSeconds = 300;
constexpr int kLongestRetrySeconds = 60;
constexpr int kNiceness = 10;

// Making a report is work that can wait; a token is not. Of this thread alone, and once.
void give_way() {
  thread_local const int once = ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kNiceness);
  static_cast<void>(once);
}

evidence::Nonce random_nonce() {
  evidence::Nonce nonce;
  crypto::fill_random(nonce);
  return nonce;
}

}  // namespace

AttestationService::AttestationService(AttestationParts parts, WorkerPool& pool, const Clock& clock, const ReportLimits& limits)
    : parts_(std::move(parts)),
      pool_(pool),
      clock_(clock),
      queue_(limits.queue),
      rates_(limits.per_client_per_minute, limits.per_client_burst, limits.most_clients) {}

AttestationService::~AttestationService() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  idle_.wait(lock, [this] { return jobs_ == 0; });
}

AttestationService::Cached& AttestationService::slot(const ReportQuery& query) {
  std::size_t index = (query.algo == evidence::SigningAlgo::kEd25519 ? 1 : 0) + (query.include_tls_fingerprint ? 2 : 0);
  return cache_[index];
}

void AttestationService::report(const ReportQuery& query, Done done) {
  if (query.include_tls_fingerprint && !parts_.tls_spki_sha256) {
    return done(fail(ErrorCode::kUnsupported, "this node does not terminate TLS, so it has no TLS key to bind",
                     "include_tls_fingerprint"));
  }
  if (query.nonce) return fresh(query, std::move(done));
  std::unique_lock lock(mutex_);
  Cached& cached = slot(query);
  std::int64_t age = clock_.now() - cached.made;
  bool usable = cached.report != nullptr && age >= 0 && age < kCacheTtlSeconds;
  bool start = !cached.in_flight && (!usable || age > kCacheTtlSeconds / 2);
  if (start) cached.in_flight = true;
  Report ready = usable ? cached.report : nullptr;
  if (!usable) cached.waiting.push_back(std::move(done));
  lock.unlock();
  if (ready) done(ready);
  if (start && !post([this, query] { refresh(query); })) {
    finish_refresh(query, fail(ErrorCode::kBusy, "too many reports are being made; try again"));
  }
}

void AttestationService::fresh(const ReportQuery& query, Done done) {
  std::unique_lock lock(mutex_);
  const int wait_s = query.client.empty() ? 0 : rates_.take(query.client, std::chrono::steady_clock::now());
  if (wait_s > 0) {
    lock.unlock();
    return refuse(ReportRefusal::kClientRate, wait_s, done);
  }
  std::optional<Waiting> dropped = queue_.push(query.client, {query, std::move(done)});
  const int retry_s = drain_time_s();
  const bool start = !making_ && queue_.size() > 0;
  if (start) making_ = true;
  lock.unlock();
  if (dropped) refuse(ReportRefusal::kQueueFull, retry_s, dropped->done);
  if (start) post_next();
}

void AttestationService::refuse(ReportRefusal reason, int retry_after_s, const Done& done) {
  if (parts_.metrics != nullptr) parts_.metrics->count_refusal(reason);
  Error error = reason == ReportRefusal::kQueueFull
                    ? fail(ErrorCode::kBusy, "too many reports are being made; try again")
                    : fail(ErrorCode::kRateLimited, "you ask for reports with a nonce more often than this node makes them "
                                                    "for one client; without a nonce there is no limit");
  error.retry_after_s = retry_after_s;
  done(std::move(error));
}

int AttestationService::drain_time_s() const {
  const double all_s = std::ceil(static_cast<double>(queue_.size()) * made_in_s_);
  return static_cast<int>(std::clamp(all_s, 1.0, static_cast<double>(kLongestRetrySeconds)));
}

bool AttestationService::post(std::function<void()> job) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return false;
    ++jobs_;
  }
  const auto end = [this] {
    std::lock_guard lock(mutex_);
    --jobs_;
    idle_.notify_all();
  };
  const bool posted = pool_.submit([this, job = std::move(job), end] {
    give_way();
    if (!is_stopping()) job();
    end();
  });
  if (!posted) end();
  return posted;
}

bool AttestationService::is_stopping() {
  std::lock_guard lock(mutex_);
  return stopping_;
}

void AttestationService::post_next() {
  if (post([this] { make_next(); })) return;
  std::vector<Waiting> left;
  {
    std::lock_guard lock(mutex_);
    making_ = false;
    while (std::optional<Waiting> next = queue_.pop()) left.push_back(std::move(*next));
  }
  for (const Waiting& each : left) refuse(ReportRefusal::kQueueFull, 1, each.done);
}

// One report a job, so that a report for all who bring no nonce waits for one at most.
void AttestationService::make_next() {
  std::optional<Waiting> next;
  {
    std::lock_guard lock(mutex_);
    next = queue_.pop();
    if (!next) {
      making_ = false;
      return;
    }
  }
  const auto begun = std::chrono::steady_clock::now();
  next->done(make(next->query));
  const double took_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  bool more = false;
  {
    std::lock_guard lock(mutex_);
    made_in_s_ = made_in_s_ == 0 ? took_s : 0.8 * made_in_s_ + 0.2 * took_s;
    more = queue_.size() > 0;
    if (!more) making_ = false;
  }
  if (more) post_next();
}

void AttestationService::refresh(ReportQuery query) { finish_refresh(query, make(query)); }

void AttestationService::finish_refresh(const ReportQuery& query, Result<Report> made) {
  std::vector<Done> waiting;
  {
    std::lock_guard lock(mutex_);
    Cached& cached = slot(query);
    cached.in_flight = false;
    waiting.swap(cached.waiting);
    // A report without the model's name is given out but not kept.
    if (made && !parts_.model_name().empty()) {
      cached.report = *made;
      cached.made = clock_.now();
    }
  }
  for (Done& done : waiting) done(made);
}

void AttestationService::update_metrics() {
  if (parts_.metrics == nullptr) return;
  std::lock_guard lock(mutex_);
  parts_.metrics->set_waiting(queue_.size());
  UnixSeconds newest = 0;
  for (const Cached& cached : cache_) newest = std::max(newest, cached.report ? cached.made : 0);
  parts_.metrics->set_report_age(newest != 0 ? clock_.now() - newest : -1);
}

Result<AttestationService::Report> AttestationService::make(const ReportQuery& query) const {
  const auto begun = std::chrono::steady_clock::now();
  Result<Report> made = build(query);
  if (parts_.metrics == nullptr) return made;
  if (made) {
    parts_.metrics->observe_report(std::chrono::steady_clock::now() - begun);
  } else {
    parts_.metrics->count_failure();
  }
  return made;
}

// The nvidia_payload, or null where this node may do without.
Result<Json> AttestationService::gpu_evidence(const evidence::Nonce& nonce, Json& item) const {
  if (parts_.gpu == nullptr) return Json(nullptr);
  // The same nonce as the quote's: what today's verifiers compare.
  Result<std::vector<evidence::GpuEvidence>> devices = parts_.gpu->collect(nonce);
  if (!devices) {
    if (!parts_.gpu_optional || devices.error().code == ErrorCode::kBusy) return devices.error();
    item["gpu_evidence_error"] = devices.error().message;
    return Json(nullptr);
  }
  evidence::NvidiaPayload payload;
  payload.nonce_hex = to_hex(nonce);
  payload.arch = devices->empty() ? "" : devices->front().arch;
  payload.evidence_list = std::move(*devices);
  return Json(evidence::write_nvidia_payload(payload));
}

Result<AttestationService::Report> AttestationService::build(const ReportQuery& query) const {
  evidence::Nonce nonce = query.nonce ? *query.nonce : random_nonce();
  Bytes identity = parts_.keyring.identity(query.algo);
  evidence::ReportData report_data = query.include_tls_fingerprint
                                         ? evidence::report_data_l2(identity, *parts_.tls_spki_sha256, nonce)
                                         : evidence::report_data_l1(identity, nonce);
  TRY(quote, parts_.tee.quote(report_data));
  if (parts_.metrics != nullptr) parts_.metrics->count_quote();
  TRY(events, parts_.tee.event_log());
  TRY(info, parts_.tee.info());

  Json item = Json::object();
  item["model_name"] = parts_.model_name();
  item["tee_type"] = parts_.tee.type();
  item["signing_address"] = parts_.keyring.signing_address(query.algo);
  item["signing_algo"] = evidence::to_text(query.algo);
  item["signing_public_key"] = parts_.keyring.signing_public_key(query.algo);
  item["request_nonce"] = to_hex(nonce);
  item["report_data"] = to_hex(report_data);
  item["intel_quote"] = to_hex(quote);
  item["quote"] = item["intel_quote"];
  TRY(payload, gpu_evidence(nonce, item));
  item["nvidia_payload"] = std::move(payload);
  // A TEE without a log has not logged nothing: an empty list would claim registers that were never extended.
  item["event_log"] = events.empty() ? Json(nullptr) : evidence::event_log_json(events);
  item["info"] = std::move(info.info);
  item["vm_config"] = info.vm_config;
  if (query.include_tls_fingerprint) item["tls_cert_fingerprint"] = to_hex(*parts_.tls_spki_sha256);

  Json report = item;
  report["all_attestations"] = Json::array({std::move(item)});
  return std::make_shared<const std::string>(codec::write_json(report));
}

}  // namespace cloister::serve
