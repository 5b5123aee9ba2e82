// Verifies a node before anything is said to it: fetches a report for a fresh nonce, then judges it.
// Two steps, because what the makers of the chips publish about them is fetched in between (src/collateral).
#pragma once

#include <optional>
#include <string>

#include "evidence/chat_signature.h"
#include "http/client.h"
#include "verify/report.h"
#include "verify/verdict.h"

namespace cloister::client {

struct HostQuery {
  evidence::SigningAlgo algo = evidence::SigningAlgo::kEcdsa;
  std::string model;   // empty = whatever the node serves
};

struct HostReport {
  evidence::Nonce nonce{};              // ours, fresh
  std::string text;                     // as served
  std::optional<ByteArray<32>> tls_spki_sha256;  // of the channel the report came through
};

// Asks for a report. Over TLS it is asked for with the channel's key bound in it.
Result<HostReport> ask_report(const http::Client& http, const HostQuery& query);

struct HostCheck {
  HostReport report;
  verify::Verdict verdict;
  std::string attested_address;         // of the report; worth something only if the verdict is accepted
};

HostCheck judge_host(HostReport report, const verify::Context& context);

// What a node answered instead of success: its own error message when it has one.
Error http_failure(std::string_view what, const http::ClientResponse& response);

}  // namespace cloister::client
