#include "serve/attestation_service.h"

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/event_log.h"
#include "evidence/gpu_evidence.h"

namespace cloister::serve {
namespace {

constexpr std::int64_t kCacheTtlSeconds = 300;

evidence::Nonce random_nonce() {
  evidence::Nonce nonce;
  crypto::fill_random(nonce);
  return nonce;
}

}  // namespace

AttestationService::Cached& AttestationService::slot(const ReportQuery& query) {
  std::size_t index = (query.algo == evidence::SigningAlgo::kEd25519 ? 1 : 0) + (query.include_tls_fingerprint ? 2 : 0);
  return cache_[index];
}

void AttestationService::report(const ReportQuery& query, Done done) {
  if (query.include_tls_fingerprint && !parts_.tls_spki_sha256) {
    return done(fail(ErrorCode::kUnsupported, "this node does not terminate TLS, so it has no TLS key to bind",
                     "include_tls_fingerprint"));
  }
  if (query.nonce) {
    auto job = [this, query, done] { done(build(query)); };
    if (!pool_.submit(job)) done(fail(ErrorCode::kBusy, "too many reports are being made; try again"));
    return;
  }
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
  if (start && !pool_.submit([this, query] { refresh(query); })) {
    finish_refresh(query, fail(ErrorCode::kBusy, "too many reports are being made; try again"));
  }
}

void AttestationService::refresh(ReportQuery query) { finish_refresh(query, build(query)); }

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

Result<AttestationService::Report> AttestationService::build(const ReportQuery& query) const {
  evidence::Nonce nonce = query.nonce ? *query.nonce : random_nonce();
  Bytes identity = parts_.keyring.identity(query.algo);
  evidence::ReportData report_data = query.include_tls_fingerprint
                                         ? evidence::report_data_l2(identity, *parts_.tls_spki_sha256, nonce)
                                         : evidence::report_data_l1(identity, nonce);
  TRY(quote, parts_.tee.quote(report_data));
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
  if (parts_.gpu != nullptr) {
    // The same nonce as the quote's: what today's verifiers compare.
    TRY(devices, parts_.gpu->collect(nonce));
    evidence::NvidiaPayload payload;
    payload.nonce_hex = to_hex(nonce);
    payload.arch = devices.empty() ? "" : devices.front().arch;
    payload.evidence_list = std::move(devices);
    item["nvidia_payload"] = evidence::write_nvidia_payload(payload);
  } else {
    item["nvidia_payload"] = nullptr;
  }
  item["event_log"] = evidence::event_log_json(events);
  item["info"] = std::move(info.info);
  item["vm_config"] = info.vm_config;
  if (query.include_tls_fingerprint) item["tls_cert_fingerprint"] = to_hex(*parts_.tls_spki_sha256);

  Json report = item;
  report["all_attestations"] = Json::array({std::move(item)});
  return std::make_shared<const std::string>(codec::write_json(report));
}

}  // namespace cloister::serve
