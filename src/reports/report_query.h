// A caller's question about a node's evidence.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "evidence/chat_signature.h"
#include "evidence/report_data.h"

namespace cloister::reports {

// Each kind has a quote of its own, since its report data binds something else.
enum class ReportKind {
  kLegacy,  // docs/spec/legacy-proof.md: report data L1 or L2
  kAci,     // ACI `aci/1`: the keyset
  kNative,  // docs/spec/native-report.md: keyset, GPU evidence, model and policy
};

// The name in the store of documents: "report.legacy", "report.aci", "report.native".
constexpr std::string_view to_text(ReportKind kind) {
  switch (kind) {
    case ReportKind::kLegacy: return "report.legacy";
    case ReportKind::kAci: return "report.aci";
    case ReportKind::kNative: return "report.native";
  }
  return "";
}

struct ReportQuery {
  ReportKind kind = ReportKind::kLegacy;
  // For legacy reports: which signing identity is asked for.
  evidence::SigningAlgo algo = evidence::SigningAlgo::kEcdsa;
  std::optional<evidence::Nonce> nonce;
  // For legacy reports: bind the TLS key as well (report data L2 instead of L1).
  bool include_tls_fingerprint = false;
  // For legacy reports: list the other replicas too. False when another replica asks.
  bool with_replicas = true;
  // The caller's name (api/client_name.h); "" names all callers of this machine without a token.
  std::string client;
};

}  // namespace cloister::reports
