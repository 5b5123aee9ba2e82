#include "config/listen_address.h"

namespace cloister::config {

Result<ListenAddress> parse_listen(const std::string& text) {
  auto bad = [&] {
    return fail(ErrorCode::kUsage, "--listen wants ADDRESS:PORT, for example 127.0.0.1:8080, got '" + text + "'");
  };
  std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 >= text.size() || text.size() - colon > 6) return bad();
  ListenAddress out;
  out.address = text.substr(0, colon);
  if (out.address.size() > 2 && out.address.front() == '[' && out.address.back() == ']') {
    out.address = out.address.substr(1, out.address.size() - 2);
  } else if (out.address.find(':') != std::string::npos) {
    return bad();
  }
  std::string digits = text.substr(colon + 1);
  if (digits.find_first_not_of("0123456789") != std::string::npos || std::stoi(digits) > 65535) return bad();
  out.port = static_cast<std::uint16_t>(std::stoi(digits));
  if (out.address == "localhost") out.address = "127.0.0.1";
  if (out.address.empty()) return bad();
  out.loopback = out.address == "::1" || out.address.starts_with("127.");
  return out;
}

}  // namespace cloister::config
