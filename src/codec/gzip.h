// Unpacks gzip (RFC 1952, DEFLATE of RFC 1951) by zlib and within bounds: for evidence that a service serves packed.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::codec {

// Exactly one gzip member and nothing behind it, whose content has at most `limit` bytes. The checksum and the length at its
// end are compared. Errors are kBadReport. Time grows with the sum of both sizes. Any thread.
Result<Bytes> unpack_gzip(ByteView packed, std::size_t limit);

}  // namespace cloister::codec
