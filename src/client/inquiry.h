// Inquiry: what a node is asked before it is verified. It asks for reports only: the requests hold our nonce and which
// kind of report is wanted. No token, prompt or other content leaves this machine here; VerifiedConnection is for that.
//
// One thread at a time; every request blocks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/node_address.h"
#include "evidence/chat_signature.h"
#include "evidence/report_data.h"

namespace cloister::client {

struct HostQuery {
  evidence::SigningAlgo algo = evidence::SigningAlgo::kEcdsa;
  std::string model;  // empty = whatever the node serves
};

struct HostReport {
  evidence::Nonce nonce{};                       // our own, fresh
  std::string text;                              // as served
  bool native = false;                           // Cloister's own form, else the legacy one
  std::string host;                              // host in the URL: keysets may list TLS keys for one host
  std::optional<ByteArray<32>> tls_spki_sha256;  // of the channel that the report came through
  bool unencrypted = false;                      // the report came from another machine over plain http
};

class Inquiry {
 public:
  explicit Inquiry(NodeAddress address) : address_(std::move(address)) {}

  // Returns the report in Cloister's own form (docs/spec/native-report.md), which binds keys, GPUs, model and
  // configuration in one quote; where the node does not know that form, the legacy report, over TLS with the channel's
  // key bound in it. Whoever stands in front of a node can hide the first form. The verdict then leaves nothing out in
  // silence, because each rule of the policy that only the first form can show keeps it from being accepted.
  Result<HostReport> ask_host(const HostQuery& query);

  // The ids in the node's list of models: the node's statement alone, over the channel that the report came through.
  Result<std::vector<std::string>> list_models();

  const NodeAddress& address() const { return address_; }

 private:
  Result<http::ClientResponse> get(const std::string& path_and_query, std::uint64_t most_bytes);

  NodeAddress address_;
  // The key of the first connection: the handshake of a later one has to show it too, so that all answers come over one
  // and the same channel.
  std::optional<ByteArray<32>> first_key_;
};

// Returns the ids in an answer of /v1/models. JSON of another form is an error.
Result<std::vector<std::string>> parse_model_list(std::string_view body);

// What a node answered instead of success: its own error message when it has one, after a line break (apps/output.h).
Error http_failure(std::string_view what, const http::ClientResponse& response);

}  // namespace cloister::client
