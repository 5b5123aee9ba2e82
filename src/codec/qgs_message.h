// Messages of Intel's Quote Generation Service, which turns a TDX guest's TDREPORT into a quote: bytes to fields and back
// (qgs_msg_lib.h of SGXDataCenterAttestationPrimitives, versions 1.0 and 1.1; QEMU's tdx-quote-generator.c speaks the
// same). Little-endian:
//
//   0 major u16 · 2 minor u16 · 4 type u32 · 8 size of the whole message u32 · 12 error code u32
//   request (type 0):  16 report size u32 · 20 id list size u32 · report · id list
//   response (type 1): 16 selected id size u32 · 20 quote size u32 · selected id · quote
//
// On a stream the message follows its own size as 4 bytes, big-endian.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::codec {

constexpr std::size_t kTdReportSize = 1024;
constexpr std::size_t kQgsHeaderSize = 16;
constexpr std::size_t kQgsMostMessage = 64u << 10;

// Asks for the quote of this report, by whichever key the service chooses.
Bytes write_qgs_quote_request(const ByteArray<kTdReportSize>& report);

// Returns the quote in a response. The response must be exactly as long as it says, at most 64 KiB. Refused: another
// major version or type, an error code, which the message repeats, and an empty quote. Errors are kBadQuote.
Result<Bytes> parse_qgs_quote_response(ByteView message);

// Writes the response that holds this quote; for tests.
Bytes write_qgs_quote_response(ByteView quote, std::uint32_t error_code);

}  // namespace cloister::codec
