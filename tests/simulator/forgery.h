// The changes that an attacker can make to a report, for tests. The attacker changes signed bytes, or signs other bytes
// with the simulator's keys, which are public.
#pragma once

#include <functional>

#include "base/bytes.h"
#include "base/json.h"
#include "codec/spdm.h"
#include "codec/tdx_quote.h"
#include "evidence/gpu_evidence.h"

namespace cloister::testing {

// Sets the member in the report and in its all_attestations.
void set_member(Json& report, const std::string& name, const Json& value);
void remove_member(Json& report, const std::string& name);

// ---- quote ----
codec::TdxQuote quote_in(const Json& report);
void set_quote(Json& report, ByteView quote);
void edit_quote_bytes(Json& report, const std::function<void(Bytes&)>& edit);
// Changes the TD report and signs it with the genuine attestation key.
void resign_td_report(Json& report, ByteView seed, const std::function<void(codec::TdReport&)>& edit);
// Changes the quoting enclave's report and signs it with the genuine platform key.
void resign_qe_report(Json& report, ByteView seed, const std::function<void(codec::QeReport&)>& edit);
// Puts another certificate chain into the quote.
void set_pck_chain(Json& report, std::string_view pem);

// ---- GPU ----
evidence::NvidiaPayload payload_in(const Json& report);
void edit_payload(Json& report, const std::function<void(evidence::NvidiaPayload&)>& edit);
// Changes the report of one device and signs it with the genuine device's key.
void resign_gpu_report(Json& report, ByteView seed, std::size_t device,
                       const std::function<void(codec::SpdmReport&)>& edit);

// ---- certificates ----
// Flips the last bit of certificate `index` in a PEM chain: its signature no longer verifies.
std::string flip_certificate(std::string_view pem_chain, std::size_t index);
// Leaves certificate `index` out.
std::string drop_certificate(std::string_view pem_chain, std::size_t index);

}  // namespace cloister::testing
