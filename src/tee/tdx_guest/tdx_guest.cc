#include "tee/tdx_guest/tdx_guest.h"

#include <utility>

#include "crypto/hash.h"
#include "evidence/simulator_roots.h"
#include "tee/checked_quote.h"
#include "tee/quote_log.h"

namespace cloister::tee {
namespace {

Result<Bytes> take_quote(const TdxGuestOptions& options, const evidence::ReportData& report_data) {
  TRY(report, options.take_report(report_data));
  if (report_data_of(report) != report_data) {
    return fail(ErrorCode::kTeeFailed, options.device.string() + " gave a TDREPORT with other report data");
  }
  TRY(socket, options.connect());
  return ask_quote_service(socket, report, options.timeout_s);
}

class TdxGuest final : public Tee {
 public:
  TdxGuest(TdxGuestOptions options, QuoteKind kind)
      : options_(std::move(options)),
        from_(options_.device.string()),
        kind_(kind),
        log_(options_.log),
        quote_log_(from_) {}

  std::string_view type() const override {
    return kind_ == QuoteKind::kInsecureSimulator ? evidence::kSimulatorName : std::string_view("tdx");
  }

  Result<Bytes> quote(const evidence::ReportData& report_data) override {
    return quote_log_.seen(checked_quote(report_data));
  }

  Result<std::vector<evidence::Event>> event_log() override { return log_.events(); }

  Result<TeeInfo> info() override {
    TRY(table, log_.boot_table());
    return TeeInfo{{{"provider", "tdx_guest"}}, "{}", std::move(table)};
  }

  Result<SecretBytes> derive_key(std::string_view) override { return no_sealed_key(type()); }

  Result<void> extend_event(std::string_view name, ByteView payload) override { return log_.extend(name, payload); }

 private:
  Result<Bytes> checked_quote(const evidence::ReportData& report_data) {
    TRY(quote, take_quote(options_, report_data));
    TRY(kind, inspect_tdx_quote(quote, report_data, from_));
    TRY_VOID(check_same_kind(kind_, kind, from_));
    return quote;
  }

  const TdxGuestOptions options_;
  const std::string from_;
  const QuoteKind kind_;
  const GuestLog log_;
  QuoteLog quote_log_;
};

}  // namespace

Result<std::unique_ptr<Tee>> make_tdx_guest(TdxGuestOptions options) {
  if (!options.take_report) {
    options.take_report = [device = options.device](const evidence::ReportData& data) {
      return take_td_report(device, data);
    };
  }
  if (!options.connect) {
    const std::uint32_t configured = configured_port(options.configuration);
    const std::uint32_t port = configured != 0 ? configured : options.default_port;
    options.connect = [port, timeout_s = options.timeout_s] { return connect_quote_service(port, timeout_s); };
  }
  evidence::ReportData probe;
  crypto::fill_random(probe);
  TRY(first, take_quote(options, probe));
  TRY(kind, inspect_tdx_quote(first, probe, options.device.string()));
  return std::unique_ptr<Tee>(std::make_unique<TdxGuest>(std::move(options), kind));
}

}  // namespace cloister::tee
