// connection.encryption: whether what is said to the node can be read on the way. What kind of channel it is, the client knows.
#pragma once

#include "verify/verdict.h"

namespace cloister::verify {

enum class Channel {
  kTls,           // its key was seen
  kThisMachine,   // http that does not leave this machine
  kInsecureHttp,  // plain http to another machine
};

// Never required, and never a failure: a channel that nobody else reads says nothing about the node at its end, and the client
// opens one that others read only with the user's leave. Adds the fact `connection`: "tls", "this_machine" or "insecure_http".
void check_connection(Channel channel, Verdict& verdict);

}  // namespace cloister::verify
