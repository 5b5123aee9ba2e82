#include "verify/tdx/pck_extension.h"

#include <algorithm>
#include <bitset>
#include <string>

#include "verify/check.h"
#include "verify/der.h"

namespace cloister::verify {
namespace {

constexpr std::string_view kSgxExtension = "1.2.840.113741.1.13.1";
// Content octets of that OID; the OIDs of its entries begin with them.
constexpr ByteArray<9> kSgxOid = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};
constexpr std::uint8_t kPpid = 1, kTcb = 2, kPceId = 3, kFmspc = 4, kSgxType = 5, kInstanceId = 6, kConfiguration = 7;
constexpr std::uint8_t kPceSvn = 17, kCpuSvn = 18;

constexpr std::uint8_t kDerBoolean = 0x01;
constexpr std::uint8_t kDerInteger = 0x02;
constexpr std::uint8_t kDerEnumerated = 0x0a;

Error bad_extension(const std::string& what) {
  return fail(ErrorCode::kBadCertificate, "SGX extension of the PCK certificate: " + what);
}

template <std::size_t N>
Result<ByteArray<N>> octets(const DerValue& value, const std::string& name) {
  if (value.tag != kDerOctetString || value.content.size() != N) {
    return bad_extension(name + " is not " + std::to_string(N) + " octets");
  }
  ByteArray<N> out;
  std::copy(value.content.begin(), value.content.end(), out.begin());
  return out;
}

// Reads a whole number from 0 to `most`, in the shortest form of DER.
Result<std::uint32_t> whole(const DerValue& value, std::uint8_t tag, std::uint32_t most, const std::string& name) {
  ByteView digits = value.content;
  if (value.tag != tag || digits.empty() || digits.size() > 3 || (digits[0] & 0x80) != 0 ||
      (digits.size() > 1 && digits[0] == 0 && (digits[1] & 0x80) == 0)) {
    return bad_extension(name + " is not a whole number from 0 to " + std::to_string(most));
  }
  std::uint32_t out = 0;
  for (const std::uint8_t digit : digits) out = out << 8 | digit;
  if (out > most)
    return bad_extension(name + " is " + std::to_string(out) + ", expected at most " + std::to_string(most));
  return out;
}

Result<bool> boolean(const DerValue& value, const std::string& name) {
  if (value.tag != kDerBoolean || value.content.size() != 1 || (value.content[0] != 0 && value.content[0] != 0xff)) {
    return bad_extension(name + " is not a boolean");
  }
  return value.content[0] != 0;
}

// Calls `take(last OID byte, value)` for each (OID, value) whose OID is `prefix` and one byte more, once for each.
template <typename Take>
Result<void> for_each_entry(ByteView list, const Bytes& prefix, const Take& take) {
  std::bitset<128> seen;
  for (DerReader entries(list); !entries.at_end();) {
    TRY(entry, entries.next(kDerSequence));
    DerReader parts(entry);
    TRY(oid, parts.next(kDerOid));
    TRY(value, parts.next());
    if (!parts.at_end()) return bad_extension("an entry has more than two parts");
    if (oid.size() != prefix.size() + 1 || !equal(oid.first(prefix.size()), prefix) || oid.back() > 127) continue;
    if (seen.test(oid.back())) return bad_extension("entry " + std::to_string(oid.back()) + " occurs twice");
    seen.set(oid.back());
    TRY_VOID(take(oid.back(), value));
  }
  return {};
}

Bytes oid_below(std::uint8_t suffix) {
  Bytes out = to_bytes(kSgxOid);
  out.push_back(suffix);
  return out;
}

Result<void> read_tcb(const DerValue& tcb, PckExtension& out) {
  if (tcb.tag != kDerSequence) return bad_extension("TCB is not a sequence");
  std::bitset<18> found;
  TRY_VOID(
      for_each_entry(tcb.content, oid_below(kTcb), [&](std::uint8_t number, const DerValue& value) -> Result<void> {
        if (number < 1 || number > kCpuSvn) return {};
        found.set(number - 1u);
        if (number == kCpuSvn) {
          TRY(cpu_svn, octets<16>(value, "CPUSVN"));
          out.cpu_svn = cpu_svn;
        } else if (number == kPceSvn) {
          TRY(pce_svn, whole(value, kDerInteger, 0xffff, "PCESVN"));
          out.pce_svn = static_cast<std::uint16_t>(pce_svn);
        } else {
          TRY(svn, whole(value, kDerInteger, 0xff, "component SVN " + std::to_string(number)));
          out.component_svns[number - 1u] = static_cast<std::uint8_t>(svn);
        }
        return {};
      }));
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!found.test(i)) return bad_extension("entry " + std::to_string(i + 1) + " of the TCB is missing");
  }
  return {};
}

Result<void> read_configuration(const DerValue& configuration, PckExtension& out) {
  if (configuration.tag != kDerSequence) return bad_extension("the configuration is not a sequence");
  PckConfiguration& read = out.configuration.emplace();
  return for_each_entry(
      configuration.content, oid_below(kConfiguration),
      [&](std::uint8_t number, const DerValue& value) -> Result<void> {
        std::optional<bool>* const targets[] = {&read.dynamic_platform, &read.cached_keys, &read.smt_enabled};
        if (number < 1 || number > 3) return {};
        TRY(set, boolean(value, "configuration " + std::to_string(number)));
        *targets[number - 1] = set;
        return {};
      });
}

Result<void> read_entry(std::uint8_t number, const DerValue& value, PckExtension& out) {
  switch (number) {
    case kPpid: {
      TRY(ppid, octets<16>(value, "PPID"));
      out.ppid = ppid;
      return {};
    }
    case kTcb: return read_tcb(value, out);
    case kPceId: {
      TRY(pce_id, octets<2>(value, "PCEID"));
      out.pce_id = pce_id;
      return {};
    }
    case kFmspc: {
      TRY(fmspc, octets<6>(value, "FMSPC"));
      out.fmspc = fmspc;
      return {};
    }
    case kSgxType: {
      TRY(type, whole(value, kDerEnumerated, 2, "the SGX type"));
      out.sgx_type = static_cast<std::uint8_t>(type);
      return {};
    }
    case kInstanceId: {
      TRY(id, octets<16>(value, "the platform instance id"));
      out.platform_instance_id = id;
      return {};
    }
    case kConfiguration: return read_configuration(value, out);
    default: return {};
  }
}

}  // namespace

Result<PckExtension> parse_pck_extension(ByteView bytes) {
  DerReader outer(bytes);
  TRY(list, outer.next(kDerSequence));
  if (!outer.at_end()) return bad_extension("bytes after its end");
  PckExtension out;
  std::bitset<128> found;
  TRY_VOID(for_each_entry(list, to_bytes(kSgxOid), [&](std::uint8_t number, const DerValue& value) {
    found.set(number);
    return read_entry(number, value, out);
  }));
  for (const std::uint8_t number : {kPpid, kTcb, kPceId, kFmspc}) {
    if (!found.test(number)) return bad_extension("entry " + std::to_string(number) + " is missing");
  }
  return out;
}

Result<PckExtension> read_pck_extension(const crypto::Certificate& pck) {
  const std::optional<Bytes> extension = pck.extension(kSgxExtension);
  if (!extension) return bad_extension("missing");
  return parse_pck_extension(*extension);
}

Check check_pck_extension(const Result<PckExtension>& extension) {
  const std::string id = "tdx.pck.extension";
  if (!extension) return failed(id, extension.error().message);
  if (!extension->sgx_type) return failed(id, "the SGX type is missing");
  return passed(id);
}

}  // namespace cloister::verify
