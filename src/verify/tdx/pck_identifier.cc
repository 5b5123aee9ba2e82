#include "verify/tdx/pck_identifier.h"

#include <string>

#include "base/encoding.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

constexpr const char* kId = "tdx.pck.identifier";
constexpr std::uint16_t kPemChain = 5;
constexpr std::uint16_t kPlainPpid = 1;
constexpr std::size_t kPpidSizes[] = {0, 16, 256, 384};  // by type
constexpr std::size_t kTcbSize = 16 + 2 + 2;

// CPUSVN, PCESVN and PCEID in the form of the quote.
Bytes tcb_of(const PckExtension& pck) {
  Bytes out(pck.cpu_svn.begin(), pck.cpu_svn.end());
  out.push_back(static_cast<std::uint8_t>(pck.pce_svn & 0xff));
  out.push_back(static_cast<std::uint8_t>(pck.pce_svn >> 8));
  append(out, pck.pce_id);
  return out;
}

}  // namespace

Check check_pck_identifier(const codec::TdxQuote& quote, const std::optional<PckExtension>& pck) {
  const std::uint16_t type = quote.certification_type;
  if (type == kPemChain) return not_applicable(kId, "the quote carries the certificate itself");
  const ByteView data = quote.certification_data;
  const std::size_t ppid_size = kPpidSizes[type];  // the parser accepts no other types
  if (data.size() != ppid_size + kTcbSize) {
    return failed(kId, "certification data of the wrong size", std::to_string(ppid_size + kTcbSize) + " bytes",
                  std::to_string(data.size()) + " bytes");
  }
  if (!pck) return skipped(kId, "there is no PCK certificate that could be read");
  // A plain PPID identifies a machine permanently: it is compared and not shown.
  if (type == kPlainPpid && !equal(data.first(ppid_size), pck->ppid)) {
    return failed(kId, "the certificate that was given is that of another platform");
  }
  return compared(kId, to_hex(data.subspan(ppid_size)), to_hex(tcb_of(*pck)),
                  "the certificate that was given is for another patch level or provisioning enclave");
}

}  // namespace cloister::verify
