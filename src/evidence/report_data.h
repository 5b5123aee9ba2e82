// What the 64 bytes of report_data bind, by layout name (docs/spec/legacy-proof.md, docs/spec/foreign-reports.md).
#pragma once

#include "base/bytes.h"

namespace cloister::evidence {

using ReportData = ByteArray<64>;
using Nonce = ByteArray<32>;

// `identity` is never longer than 32 bytes.
// L1: identity (20-byte address, or 32-byte Ed25519 key) padded right with zeros to 32, then the nonce.
ReportData report_data_l1(ByteView identity, const Nonce& nonce);
// L2: SHA-256(identity || SHA-256 of the TLS leaf's SubjectPublicKeyInfo), then the nonce.
ReportData report_data_l2(ByteView identity, const ByteArray<32>& tls_spki_sha256, const Nonce& nonce);

}  // namespace cloister::evidence
