#include "codec/ccel.h"

#include <algorithm>
#include <map>
#include <string>

#include "codec/byte_reader.h"

namespace cloister::codec {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;
constexpr std::size_t kMostEvents = 8192;
constexpr std::uint32_t kMostAlgorithms = 16;
constexpr std::size_t kMostDigestSize = 64;
constexpr std::uint16_t kSha384 = 0x000c;  // TPM_ALG_ID
constexpr std::uint32_t kRegisters = 4;
constexpr std::string_view kSpecIdSignature("Spec ID Event03\0", 16);

using DigestSizes = std::map<std::uint16_t, std::uint16_t>;  // algorithm -> bytes

// TCG_EfiSpecIDEventStruct, section 10.4.5.1 of the profile.
Result<DigestSizes> parse_spec_id(ByteView bytes) {
  ByteReader in(bytes, ErrorCode::kBadEventLog, "CCEL Spec ID event");
  TRY(signature, in.take(kSpecIdSignature.size(), "signature"));
  if (as_text(signature) != kSpecIdSignature) return in.error("its signature is not `Spec ID Event03`");
  TRY_VOID(in.take(4 + 1 + 1 + 1 + 1, "platform class, versions and errata"));
  TRY(count, in.integer<std::uint32_t>("number of algorithms"));
  if (count == 0 || count > kMostAlgorithms) {
    return in.error("expected 1 to 16 algorithms, got " + std::to_string(count));
  }
  DigestSizes sizes;
  for (std::uint32_t i = 0; i < count; ++i) {
    TRY(algorithm, in.integer<std::uint16_t>("algorithm"));
    TRY(size, in.integer<std::uint16_t>("digest size"));
    if (size == 0 || size > kMostDigestSize) return in.error("a digest of " + std::to_string(size) + " bytes");
    if (!sizes.emplace(algorithm, size).second) return in.error("an algorithm is listed twice");
  }
  TRY(vendor_size, in.integer<std::uint8_t>("vendor information size"));
  TRY_VOID(in.take(vendor_size, "vendor information"));
  if (in.left() != 0) return in.error("bytes follow the vendor information");
  const auto found = sizes.find(kSha384);
  if (found == sizes.end() || found->second != 48) return in.error("SHA-384 with 48 bytes is not among the algorithms");
  return sizes;
}

// TCG_PCR_EVENT: the only event in the old form, with room for a SHA-1 digest.
Result<DigestSizes> parse_first_event(ByteReader& in) {
  TRY_VOID(in.take(4, "first register"));
  TRY(type, in.integer<std::uint32_t>("first event type"));
  if (type != kEvNoAction) return in.error("the first event must be of type 3, got " + std::to_string(type));
  TRY(digest, in.take(20, "first digest"));
  if (std::any_of(digest.begin(), digest.end(), [](std::uint8_t b) { return b != 0; })) {
    return in.error("the first event must have a digest of zeros");
  }
  TRY(size, in.integer<std::uint32_t>("first event size"));
  TRY(data, in.take(size, "first event"));
  return parse_spec_id(data);
}

Result<ByteArray<48>> parse_digests(ByteReader& in, const DigestSizes& sizes) {
  TRY(count, in.integer<std::uint32_t>("number of digests"));
  if (count == 0 || count > sizes.size()) {
    return in.error("expected 1 to " + std::to_string(sizes.size()) + " digests, got " + std::to_string(count));
  }
  std::map<std::uint16_t, ByteView> digests;
  for (std::uint32_t i = 0; i < count; ++i) {
    TRY(algorithm, in.integer<std::uint16_t>("digest algorithm"));
    const auto size = sizes.find(algorithm);
    if (size == sizes.end()) return in.error("an unlisted digest algorithm " + std::to_string(algorithm));
    TRY(digest, in.take(size->second, "digest"));
    if (!digests.emplace(algorithm, digest).second) return in.error("an event has two digests of one algorithm");
  }
  const auto found = digests.find(kSha384);
  if (found == digests.end()) return in.error("an event without a SHA-384 digest");
  ByteArray<48> out;
  std::copy(found->second.begin(), found->second.end(), out.begin());
  return out;
}

// TCG_PCR_EVENT2. Its register counts from one: 1 to 4 are RTMR0 to RTMR3; 0 would be MRTD, which nothing extends.
Result<void> parse_event(ByteReader& in, const DigestSizes& sizes, std::vector<CcelEvent>& events) {
  CcelEvent event;
  TRY(index, in.integer<std::uint32_t>("register"));
  TRY(type, in.integer<std::uint32_t>("event type"));
  TRY(digest, parse_digests(in, sizes));
  TRY(size, in.integer<std::uint32_t>("event size"));
  TRY(data, in.take(size, "event"));
  if (type == kEvNoAction) return {};
  if (index < 1 || index > kRegisters) {
    return in.error("expected register 1 to 4, got " + std::to_string(index));
  }
  event.rtmr = static_cast<int>(index - 1);
  event.event_type = type;
  event.sha384 = digest;
  event.data = to_bytes(data);
  events.push_back(std::move(event));
  return {};
}

// The table's area is larger than the log: firmware leaves the rest as it was cleared.
bool is_unused(ByteView rest) {
  return std::all_of(rest.begin(), rest.end(), [&](std::uint8_t b) { return b == rest.front(); }) &&
         (rest.front() == 0xff || rest.front() == 0);
}

}  // namespace

Result<std::vector<CcelEvent>> parse_ccel(ByteView bytes) {
  ByteReader in(bytes, ErrorCode::kBadEventLog, "CCEL");
  if (bytes.size() > kMostBytes) return in.error("expected at most 1 MiB, got " + std::to_string(bytes.size()));
  TRY(sizes, parse_first_event(in));
  std::vector<CcelEvent> events;
  // Checking the remaining bytes costs little: a byte that differs from the first ends the check.
  for (std::size_t count = 0; in.left() > 0 && !is_unused(bytes.subspan(in.offset())); ++count) {
    if (count == kMostEvents) return in.error("more than " + std::to_string(kMostEvents) + " events");
    TRY_VOID(parse_event(in, sizes, events));
  }
  return events;
}

Bytes write_ccel(const std::vector<CcelEvent>& events) {
  Bytes spec;
  append(spec, as_bytes(kSpecIdSignature));
  append(spec, Bytes{0, 0, 0, 0, 0, 2, 0, 2});
  append_integer(spec, 1, 4);
  append_integer(spec, kSha384, 2);
  append_integer(spec, 48, 2);
  spec.push_back(0);
  Bytes out;
  append_integer(out, 1, 4);
  append_integer(out, kEvNoAction, 4);
  out.resize(out.size() + 20);
  append_integer(out, spec.size(), 4);
  append(out, spec);
  for (const CcelEvent& event : events) {
    append_integer(out, static_cast<std::uint64_t>(event.rtmr) + 1, 4);
    append_integer(out, event.event_type, 4);
    append_integer(out, 1, 4);
    append_integer(out, kSha384, 2);
    append(out, event.sha384);
    append_integer(out, event.data.size(), 4);
    append(out, event.data);
  }
  return out;
}

}  // namespace cloister::codec
