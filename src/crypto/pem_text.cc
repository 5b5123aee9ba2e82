#include "crypto/pem_text.h"

#include <algorithm>
#include <string_view>

namespace cloister::crypto {
namespace {

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
constexpr std::size_t kMostBytes = 1u << 20;

bool is_text(std::string_view line) {
  return !line.starts_with("-----") && std::ranges::none_of(line, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\r') || byte == 0x7f;
  });
}

}  // namespace

Result<std::string> without_explanatory_text(ByteView pem) {
  std::string_view rest = as_text(pem);
  if (rest.size() > kMostBytes) return fail(ErrorCode::kBadCertificate, "a PEM text has at most 1 MiB");
  if (rest.ends_with('\0')) rest.remove_suffix(1);
  std::string out;
  while (!rest.empty()) {
    if (rest.starts_with(kBegin)) {
      const std::size_t end = rest.find(kEnd);
      if (end == std::string_view::npos)
        return fail(ErrorCode::kBadCertificate, "a certificate has no END CERTIFICATE line");
      out += rest.substr(0, end + kEnd.size());
      out += '\n';
      rest.remove_prefix(end + kEnd.size());
      continue;
    }
    const std::size_t size = std::min(rest.find('\n'), rest.size() - 1) + 1;
    std::string_view line = rest.substr(0, size);
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (!is_text(line))
      return fail(ErrorCode::kBadCertificate,
                  "a line between PEM certificates is neither text nor a BEGIN CERTIFICATE line");
    rest.remove_prefix(size);
  }
  return out;
}

}  // namespace cloister::crypto
