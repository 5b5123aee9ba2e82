#include "tee/checked_quote.h"

#include <algorithm>
#include <string>

#include "codec/snp_report.h"
#include "codec/tdx_quote.h"
#include "crypto/x509.h"
#include "evidence/simulator_roots.h"

namespace cloister::tee {
namespace {

Error bad(std::string_view from, const std::string& what) {
  return fail(ErrorCode::kTeeFailed, std::string(from) + " " + what);
}

bool holds_simulator_root(ByteView pem_chain) {
  const auto roots = crypto::parse_pem_chain(as_bytes(evidence::simulator_cpu_root_pem()));
  const auto chain = crypto::parse_pem_chain(pem_chain);
  if (!roots || !chain) return false;
  const Bytes root = roots->front().der();
  return std::any_of(chain->begin(), chain->end(),
                     [&](const crypto::Certificate& certificate) { return certificate.der() == root; });
}

}  // namespace

Result<QuoteKind> inspect_tdx_quote(ByteView quote, const evidence::ReportData& asked, std::string_view from) {
  const auto parsed = codec::parse_tdx_quote(quote);
  if (!parsed) return bad(from, "answered with what is no TDX quote: " + parsed.error().message);
  if (parsed->report.report_data != asked) {
    return bad(from, "answered with another quote than the one asked for: its report data differs");
  }
  return holds_simulator_root(parsed->certification_data) ? QuoteKind::kInsecureSimulator : QuoteKind::kTdx;
}

Result<QuoteKind> inspect_snp_report(ByteView report, const evidence::ReportData& asked, std::string_view from) {
  const auto parsed = codec::parse_snp_report(report);
  if (!parsed) return bad(from, "answered with what is no SEV-SNP report: " + parsed.error().message);
  if (parsed->report_data != asked) {
    return bad(from, "answered with another report than the one asked for: its report data differs");
  }
  return QuoteKind::kSevSnp;
}

Result<void> check_same_kind(QuoteKind first, QuoteKind now, std::string_view from) {
  if (first == now) return {};
  const auto name = [](QuoteKind kind) {
    switch (kind) {
      case QuoteKind::kTdx: return "a TDX quote";
      case QuoteKind::kInsecureSimulator: return "a simulated quote";
      case QuoteKind::kSevSnp: return "an SEV-SNP report";
    }
    return "an unknown quote";
  };
  return bad(from, std::string("answered with ") + name(now) + " although it began with " + name(first));
}

}  // namespace cloister::tee
