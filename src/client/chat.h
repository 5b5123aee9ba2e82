// One verified turn of a conversation: asks, keeps the exact bytes of both bodies, fetches the signature and verifies
// it with the address that the host check attested.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "client/host_check.h"
#include "client/verified_connection.h"
#include "evidence/proof.h"

namespace cloister::client {

struct ChatTurn {
  std::string model;
  Json messages;  // the conversation so far, with the user's new message last
  bool stream = true;
  std::optional<double> temperature;  // unset: the node's own default
  evidence::SigningAlgo algo = evidence::SigningAlgo::kEcdsa;
};

struct ChatReply {
  std::string text;         // the assistant's words
  std::string receipt_id;   // the id in the reply's header; empty without one
  evidence::Proof proof;    // everything that is needed to verify the reply again
  verify::Verdict verdict;  // verdict about the signature alone
};

// `on_text` gets the text as it arrives. An Error means that there is no reply to verify.
Result<ChatReply> ask(const VerifiedConnection& node, const HostCheck& host, const ChatTurn& turn, const Clock& clock,
                      const std::function<void(std::string_view)>& on_text);

// Returns the id of the first model that the node lists.
Result<std::string> first_model(const VerifiedConnection& node);

}  // namespace cloister::client
