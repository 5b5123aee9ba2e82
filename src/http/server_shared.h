// What all loops of one server share. It outlives them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "http/address_counts.h"
#include "http/body_budget.h"
#include "http/exchange.h"
#include "http/server_options.h"
#include "net/tls.h"

namespace cloister::http {

struct ServerShared {
  ServerShared(const ServerOptions& server_options, Handler& server_handler)
      : options(server_options),
        handler(server_handler),
        bodies(std::make_shared<BodyBudget>(options.body_bytes_in_flight, options.body_bytes_of_client)) {}
  const ServerOptions options;
  Handler& handler;
  const std::shared_ptr<BodyBudget> bodies;  // shared: bodies outlive the server
  AddressCounts addresses;
  std::atomic<std::shared_ptr<SSL_CTX>> tls;  // of connections from now on; null: plain
  std::atomic<std::uint64_t> connections_open{0};
  std::atomic<std::uint64_t> connections_total{0};
  std::atomic<std::uint64_t> requests_total{0};
};

}  // namespace cloister::http
