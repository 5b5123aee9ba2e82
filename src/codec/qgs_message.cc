#include "codec/qgs_message.h"

#include <cstdio>
#include <string>

#include "codec/byte_reader.h"

namespace cloister::codec {
namespace {

constexpr std::uint16_t kMajor = 1;
constexpr std::uint16_t kMinor = 0;  // the version that every service has spoken since the first
constexpr std::uint32_t kQuoteRequest = 0;
constexpr std::uint32_t kQuoteResponse = 1;

void put(Bytes& out, std::uint32_t value, int size) {
  for (int i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

Bytes header(std::uint32_t type, std::size_t size, std::uint32_t error_code) {
  Bytes out;
  put(out, kMajor, 2);
  put(out, kMinor, 2);
  put(out, type, 4);
  put(out, static_cast<std::uint32_t>(size), 4);
  put(out, error_code, 4);
  return out;
}

std::string hex_number(std::uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof(text), "0x%x", value);
  return text;
}

}  // namespace

Bytes write_qgs_quote_request(const ByteArray<kTdReportSize>& report) {
  Bytes out = header(kQuoteRequest, kQgsHeaderSize + 8 + report.size(), 0);
  put(out, static_cast<std::uint32_t>(report.size()), 4);
  put(out, 0, 4);
  append(out, report);
  return out;
}

Bytes write_qgs_quote_response(ByteView quote, std::uint32_t error_code) {
  Bytes out = header(kQuoteResponse, kQgsHeaderSize + 8 + quote.size(), error_code);
  put(out, 0, 4);
  put(out, static_cast<std::uint32_t>(quote.size()), 4);
  append(out, quote);
  return out;
}

Result<Bytes> parse_qgs_quote_response(ByteView message) {
  ByteReader in(message, ErrorCode::kBadQuote, "QGS response");
  if (message.size() > kQgsMostMessage) return in.error("longer than 65536 bytes");
  TRY(major, in.integer<std::uint16_t>("major version"));
  TRY_VOID(in.take(2, "minor version"));
  TRY(type, in.integer<std::uint32_t>("type"));
  TRY(size, in.integer<std::uint32_t>("size"));
  TRY(error_code, in.integer<std::uint32_t>("error code"));
  if (major != kMajor) return in.error("expected major version 1, got " + std::to_string(major));
  if (type != kQuoteResponse) return in.error("expected type 1 (a quote), got " + std::to_string(type));
  if (error_code != 0) return in.error("the service failed with error " + hex_number(error_code));
  if (size != message.size()) {
    return in.error("says that it has " + std::to_string(size) + " bytes, has " + std::to_string(message.size()));
  }
  TRY(id_size, in.integer<std::uint32_t>("selected id size"));
  TRY(quote_size, in.integer<std::uint32_t>("quote size"));
  TRY_VOID(in.take(id_size, "selected id"));
  TRY(quote, in.take(quote_size, "quote"));
  if (in.left() != 0) return in.error(std::to_string(in.left()) + " bytes follow the quote");
  if (quote.empty()) return in.error("holds no quote");
  return to_bytes(quote);
}

}  // namespace cloister::codec
