// connection.encryption: whether others can read what is said to the node. The client knows which kind of channel it has.
#pragma once

#include "verify/verdict.h"

namespace cloister::verify {

enum class Channel {
  kTls,           // the client saw its key
  kThisMachine,   // http that does not leave this machine
  kInsecureHttp,  // plain http to another machine
};

// The check is never required and never fails: a channel that nobody else reads proves nothing about the node at its end, and the client
// opens a channel that others can read only with the user's consent. Adds the fact `connection`: "tls", "this_machine" or "insecure_http".
void check_connection(Channel channel, Verdict& verdict);

}  // namespace cloister::verify
