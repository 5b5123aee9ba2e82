// Verifies a node before anything is said to it: fetches a report for a fresh nonce and judges it.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "evidence/chat_signature.h"
#include "http/client.h"
#include "verify/report.h"
#include "verify/verdict.h"

namespace cloister::client {

struct HostQuery {
  evidence::SigningAlgo algo = evidence::SigningAlgo::kEcdsa;
  std::string model;   // empty = whatever the node serves
};

struct HostCheck {
  verify::Verdict verdict;
  std::string nonce_hex;                // ours
  std::string report;                   // as served
  std::string attested_address;         // of the report; worth something only if the verdict is accepted
  std::optional<ByteArray<32>> tls_spki_sha256;  // of the channel the report came through
};

// An Error means that no report could be had; a bad report is a verdict. Over TLS the report is asked for, and judged,
// with the channel's key bound in it.
Result<HostCheck> check_host(const http::Client& http, const HostQuery& query, const verify::Policy& policy,
                             const Clock& clock);

// What a node answered instead of success: its own error message when it has one.
Error http_failure(std::string_view what, const http::ClientResponse& response);

}  // namespace cloister::client
