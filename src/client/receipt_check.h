// The receipt of a reply as its caller verifies it: with the keyset that the node's own report binds.
#pragma once

#include <optional>
#include <string>

#include "client/chat.h"
#include "client/host_check.h"
#include "verify/verdict.h"

namespace cloister::client {

// An Error when the node answers that it has none, since it has promised a receipt in the reply's header.
Result<std::string> fetch_receipt(const VerifiedConnection& node, const std::string& id);

// Verifies `native`, and the receipt and the bodies of the reply with it. A reply without a receipt's id fails: this
// node gives receipts.
verify::Verdict judge_receipt(const VerifiedConnection& node, const HostReport& native, const ChatReply& reply,
                              const std::optional<std::string>& receipt, const std::string& model,
                              const verify::Context& context);

}  // namespace cloister::client
