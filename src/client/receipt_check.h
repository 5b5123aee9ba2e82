// The receipt of a reply as its caller checks it: by the keyset that the node's own report binds.
#pragma once

#include <optional>
#include <string>

#include "client/chat.h"
#include "client/host_check.h"
#include "verify/verdict.h"

namespace cloister::client {

// What the node answers when it has none is an Error: it has promised one by the reply's header.
Result<std::string> fetch_receipt(const VerifiedConnection& node, const std::string& id);

// Judges `native`, the receipt and the bodies of the reply against it. A reply without a receipt's id fails: this node
// gives receipts.
verify::Verdict judge_receipt(const VerifiedConnection& node, const HostReport& native, const ChatReply& reply,
                              const std::optional<std::string>& receipt, const std::string& model,
                              const verify::Context& context);

}  // namespace cloister::client
