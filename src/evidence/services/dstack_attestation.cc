#include "evidence/services/dstack_attestation.h"

#include <algorithm>

#include "base/encoding.h"
#include "codec/json.h"
#include "codec/msgpack.h"
#include "evidence/event_log.h"

namespace cloister::evidence {
namespace {

constexpr std::size_t kMostBytes = 1u << 20;
constexpr std::size_t kReportDataSize = 64;

Error bad(const std::string& what) { return fail(ErrorCode::kBadReport, "attestation: " + what); }
Error unsupported(const std::string& what) {
  return fail(ErrorCode::kUnsupported, "attestation: " + what + " is not read here");
}

Json entry_of(std::uint64_t imr, std::uint64_t type, ByteView digest, std::string event, ByteView payload) {
  return {{"imr", imr},
          {"event_type", type},
          {"digest", to_hex(digest)},
          {"event", std::move(event)},
          {"event_payload", to_hex(payload)}};
}

// Stripped logs have the entries of register 3, and of the other registers only those that an image verifier needs.
bool is_stripped(const Json& log) {
  return std::ranges::none_of(log, [](const Json& entry) { return entry["imr"] == 1 || entry["imr"] == 2; });
}

void put_log(const Json& log, DstackAttestation& out) {
  out.boot.event_log = codec::write_json(log);
  out.stripped_log = is_stripped(log);
}

// SCALE: little-endian numbers, compact lengths, enumerators of one byte.
class Scale {
 public:
  explicit Scale(ByteView bytes) : bytes_(bytes) {}

  std::size_t left() const { return bytes_.size() - at_; }

  Result<ByteView> take(std::uint64_t size) {
    if (size > left()) return bad("it ends early");
    const ByteView out = bytes_.subspan(at_, static_cast<std::size_t>(size));
    at_ += static_cast<std::size_t>(size);
    return out;
  }
  Result<std::uint64_t> number(std::size_t size) {
    TRY(bytes, take(size));
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | bytes[i];
    return value;
  }
  // Accepts only the shortest form.
  Result<std::uint64_t> compact() {
    TRY(first, number(1));
    const std::size_t mode = first & 3u;
    if (mode == 3) return bad("a length that is too large");
    const std::size_t more = mode == 0 ? 0 : mode == 1 ? 1 : 3;
    TRY(rest, number(more));
    const std::uint64_t value = (first | rest << 8) >> 2;
    if ((mode == 1 && value < 64) || (mode == 2 && value < 16384))
      return bad("a length that is not in its shortest form");
    return value;
  }
  Result<ByteView> bytes() {
    TRY(size, compact());
    return take(size);
  }
  Result<std::string> text() {
    TRY(content, bytes());
    return std::string(as_text(content));
  }

 private:
  ByteView bytes_;
  std::size_t at_ = 0;
};

Result<Json> read_scale_log(Scale& in) {
  TRY(count, in.compact());
  Json log = Json::array();
  for (std::uint64_t i = 0; i < count; ++i) {
    TRY(imr, in.number(4));
    TRY(type, in.number(4));
    TRY(digest, in.bytes());
    TRY(event, in.text());
    TRY(payload, in.bytes());
    log.push_back(entry_of(imr, type, digest, std::move(event), payload));
  }
  return log;
}

Result<void> read_scale_snp(Scale& in, DstackAttestation& out) {
  out.snp = true;
  TRY(report, in.bytes());
  out.evidence = to_bytes(report);
  TRY(count, in.compact());
  for (std::uint64_t i = 0; i < count; ++i)
    TRY_VOID(in.bytes());  // certificates, which the verifier fetches or is given
  TRY(document, in.text());
  out.mr_config = std::move(document);
  return {};
}

Result<DstackAttestation> parse_version0(ByteView bytes) {
  constexpr std::uint64_t kTdx = 0, kSnp = 3;
  Scale in(bytes);
  DstackAttestation out;
  TRY_VOID(in.number(1));  // the version, which the caller has seen
  TRY(platform, in.number(1));
  if (platform == kTdx) {
    TRY(quote, in.bytes());
    out.evidence = to_bytes(quote);
    TRY(log, read_scale_log(in));
    put_log(log, out);
  } else if (platform == kSnp) {
    TRY_VOID(read_scale_snp(in, out));
  } else {
    return unsupported("evidence of this kind of machine");
  }
  TRY(events, in.compact());
  for (std::uint64_t i = 0; i < events; ++i) {
    TRY_VOID(in.text());
    TRY_VOID(in.bytes());
  }
  TRY(report_data, in.take(kReportDataSize));
  out.report_data = to_bytes(report_data);
  TRY(config, in.text());
  if (!config.empty()) out.boot.vm_config = std::move(config);
  if (in.left() != 0) return bad("bytes behind its end");
  return out;
}

// Returns a member of a map; kBadReport when it is missing.
Result<const Json*> member(const Json& map, const char* name) {
  if (!map.is_object()) return bad(std::string("expected a map around ") + name);
  const auto found = map.find(name);
  if (found == map.end()) return bad(std::string(name) + " is missing");
  return &*found;
}

// Bytes come as binaries or as lists of numbers.
Result<Bytes> bytes_of(const Json& map, const char* name) {
  TRY(value, member(map, name));
  if (value->is_binary()) return Bytes(value->get_binary().begin(), value->get_binary().end());
  if (!value->is_array()) return bad(std::string(name) + " is no list of bytes");
  Bytes out;
  for (const Json& byte : *value) {
    if (!byte.is_number_unsigned() || byte.get<std::uint64_t>() > 255)
      return bad(std::string(name) + " is no list of bytes");
    out.push_back(static_cast<std::uint8_t>(byte.get<std::uint64_t>()));
  }
  return out;
}

Result<std::string> text_of(const Json& map, const char* name) {
  TRY(value, member(map, name));
  if (!value->is_string()) return bad(std::string(name) + " is no text");
  return value->get<std::string>();
}

Result<std::uint64_t> number_of(const Json& map, const char* name) {
  TRY(value, member(map, name));
  if (!value->is_number_unsigned()) return bad(std::string(name) + " is no number");
  return value->get<std::uint64_t>();
}

Result<Json> read_map_log(const Json& data) {
  TRY(list, member(data, "event_log"));
  if (!list->is_array()) return bad("event_log is no list");
  Json log = Json::array();
  for (const Json& event : *list) {
    TRY(imr, number_of(event, "imr"));
    TRY(type, number_of(event, "event_type"));
    TRY(digest, bytes_of(event, "digest"));
    TRY(name, text_of(event, "event"));
    TRY(payload, bytes_of(event, "event_payload"));
    Json entry = entry_of(imr, type, digest, std::move(name), payload);
    if (event.contains("version")) entry["version"] = event["version"];
    if (event.contains("preimage") && event["preimage"].is_string()) entry["preimage"] = event["preimage"];
    log.push_back(std::move(entry));
  }
  return log;
}

Result<DstackAttestation> parse_version1(ByteView bytes) {
  TRY(object, codec::parse_msgpack(bytes));
  TRY(version, number_of(object, "version"));
  if (version != 1) return unsupported("version " + std::to_string(version));
  DstackAttestation out;
  out.version = 1;
  TRY(platform, member(object, "platform"));
  TRY(kind, text_of(*platform, "kind"));
  TRY(data, member(*platform, "data"));
  if (kind == "tdx") {
    TRY(quote, bytes_of(*data, "quote"));
    out.evidence = std::move(quote);
    TRY(log, read_map_log(*data));
    put_log(log, out);
  } else if (kind == "sev-snp") {
    out.snp = true;
    TRY(report, bytes_of(*data, "report"));
    out.evidence = std::move(report);
    TRY(document, text_of(*data, "mr_config"));
    out.mr_config = std::move(document);
  } else {
    return unsupported("evidence of this kind of machine");
  }
  TRY(stack, member(object, "stack"));
  TRY(stack_data, member(*stack, "data"));
  TRY(report_data, bytes_of(*stack_data, "report_data"));
  if (report_data.size() != kReportDataSize) return bad("expected 64 bytes of report_data");
  out.report_data = std::move(report_data);
  TRY(config, text_of(*stack_data, "config"));
  if (!config.empty()) out.boot.vm_config = std::move(config);
  return out;
}

bool is_map(std::uint8_t first) { return (first & 0xf0u) == 0x80 || first == 0xde || first == 0xdf; }

}  // namespace

Result<DstackAttestation> parse_dstack_attestation(ByteView bytes) {
  if (bytes.empty() || bytes.size() > kMostBytes)
    return bad("expected 1 byte to 1 MiB, got " + std::to_string(bytes.size()));
  if (bytes[0] == 0) return parse_version0(bytes);
  if (is_map(bytes[0])) return parse_version1(bytes);
  return unsupported("a form that begins with byte " + std::to_string(bytes[0]));
}

}  // namespace cloister::evidence
