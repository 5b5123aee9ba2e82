#include "verify/snp/chain_file.h"

#include <string>

#include "base/bytes.h"
#include "crypto/pem_text.h"
#include "crypto/x509.h"

namespace cloister::verify {
namespace {

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::size_t kCertificates = 3;

Error malformed(const std::string& message) {
  return fail(ErrorCode::kBadCollateral,
              "collateral: expected the PEM certificates of an AMD chip, its ASK and its ARK: " + message);
}

}  // namespace

bool is_pem_text(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin != std::string_view::npos && text[begin] != '{' && text.find(kBegin) != std::string_view::npos;
}

Result<SnpCollateral> read_snp_chain_file(std::string_view pem) {
  const Result<std::string> plain = crypto::without_explanatory_text(as_bytes(pem));
  if (!plain) return malformed(plain.error().message);
  const auto chain = crypto::parse_pem_chain(as_bytes(*plain), kCertificates + 1);
  if (!chain) return malformed(chain.error().message);
  if (chain->size() != kCertificates)
    return malformed("the file holds " + std::to_string(chain->size()) + " certificates");
  SnpCollateral out;
  out.vcek = to_bytes(chain->front().der());
  out.ask_ark = plain->substr(plain->find(kBegin, kBegin.size()));
  return out;
}

}  // namespace cloister::verify
