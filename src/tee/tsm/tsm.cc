#include "tee/tsm/tsm.h"

#include <mutex>
#include <utility>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "evidence/simulator_roots.h"
#include "tee/checked_quote.h"
#include "tee/quote_log.h"
#include "tee/tsm/tsm_report.h"

namespace cloister::tee {
namespace {

Result<QuoteKind> inspect(const TsmReport& report, const evidence::ReportData& asked, std::string_view from) {
  if (report.provider == "sev_guest") return inspect_snp_report(report.outblob, asked, from);
  return inspect_tdx_quote(report.outblob, asked, from);
}

class Tsm final : public Tee {
 public:
  Tsm(TsmOptions options, QuoteKind kind, const TsmReport& first)
      : root_(std::move(options.root)),
        timeout_s_(options.timeout_s),
        from_(root_.string()),
        kind_(kind),
        provider_(first.provider),
        log_(std::move(options.log)),
        quote_log_(from_),
        certificates_(first.auxblob) {}

  std::string_view type() const override {
    switch (kind_) {
      case QuoteKind::kTdx: return "tdx";
      case QuoteKind::kSevSnp: return "sev_snp";
      case QuoteKind::kInsecureSimulator: break;
    }
    return evidence::kSimulatorName;
  }

  Result<Bytes> quote(const evidence::ReportData& report_data) override {
    return quote_log_.seen(take_quote(report_data));
  }

  Result<std::vector<evidence::Event>> event_log() override {
    if (kind_ == QuoteKind::kSevSnp) return std::vector<evidence::Event>();
    return log_.events();
  }

  Result<TeeInfo> info() override {
    TeeInfo out;
    out.info = {{"provider", provider_}};
    out.vm_config = "{}";
    if (kind_ == QuoteKind::kSevSnp) {
      const std::lock_guard lock(mutex_);
      out.info["snp_certificate_table"] = to_base64(certificates_);
      return out;
    }
    TRY(table, log_.boot_table());
    out.ccel = std::move(table);
    return out;
  }

  Result<SecretBytes> derive_key(std::string_view) override { return no_sealed_key(type()); }

  Result<void> extend_event(std::string_view name, ByteView payload) override {
    if (kind_ == QuoteKind::kSevSnp) return Tee::extend_event(name, payload);
    return log_.extend(name, payload);
  }

 private:
  Result<Bytes> take_quote(const evidence::ReportData& report_data) {
    TRY(report, take_tsm_report(root_, report_data, timeout_s_));
    TRY(kind, inspect(report, report_data, from_));
    TRY_VOID(check_same_kind(kind_, kind, from_));
    if (kind_ == QuoteKind::kSevSnp) {
      const std::lock_guard lock(mutex_);
      certificates_ = std::move(report.auxblob);
    }
    return std::move(report.outblob);
  }

  const std::filesystem::path root_;
  const int timeout_s_;
  const std::string from_;
  const QuoteKind kind_;
  const std::string provider_;
  const GuestLog log_;
  QuoteLog quote_log_;
  std::mutex mutex_;
  Bytes certificates_;  // guarded by mutex_
};

}  // namespace

Result<std::unique_ptr<Tee>> make_tsm(TsmOptions options) {
  evidence::ReportData probe;
  crypto::fill_random(probe);
  TRY(first, take_tsm_report(options.root, probe, options.timeout_s));
  TRY(kind, inspect(first, probe, options.root.string()));
  return std::unique_ptr<Tee>(std::make_unique<Tsm>(std::move(options), kind, first));
}

}  // namespace cloister::tee
