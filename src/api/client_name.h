// Names a caller, so that the node can be fair among callers.
#pragma once

#include <string>

#include "api/endpoint.h"

namespace cloister::api {

// The digest of the caller's token, else its address: all of an IPv4 address, the first 64 bits of an IPv6 address,
// since one customer commonly has all addresses behind them. "" for callers without a token from this machine: they are
// the operator, or come through a proxy on this machine and cannot be told apart, so all of them count as one caller.
std::string client_name(const Call& call);
std::string client_name(const Owner& owner, const std::string& peer, bool peer_is_loopback);

}  // namespace cloister::api
