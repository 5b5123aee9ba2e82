// Unpacks gzip (RFC 1952, DEFLATE of RFC 1951) with zlib and within bounds: for evidence that a service serves compressed.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::codec {

// Accepts exactly one gzip member, with nothing after it, whose content has at most `limit` bytes. The checksum and the
// length at its end are compared. Errors are kBadReport. Time grows with the sum of both sizes. Any thread.
Result<Bytes> unpack_gzip(ByteView packed, std::size_t limit);

}  // namespace cloister::codec
