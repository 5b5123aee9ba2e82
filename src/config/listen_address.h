// The address that a node listens on. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace cloister::config {

struct ListenAddress {
  std::string address;
  std::uint16_t port = 0;  // 0: any free one
  bool loopback = false;   // only the machine itself reaches it
};

// Accepts "127.0.0.1:8080", "[::1]:8080", "0.0.0.0:8080", "localhost:8080". kUsage for every other form.
Result<ListenAddress> parse_listen(const std::string& text);

}  // namespace cloister::config
