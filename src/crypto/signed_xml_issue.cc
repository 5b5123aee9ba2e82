#include <string>

#include "base/encoding.h"
#include "crypto/signed_xml.h"
#include "crypto/xml_handles.h"

namespace cloister::crypto {
namespace {

std::string algorithm(const char* element, std::string_view uri) {
  return std::string("<ds:") + element + " Algorithm=\"" + std::string(uri) + "\"/>";
}

// Without KeyInfo, since xmlsec would fill it in its own way.
std::string signature_template() {
  return "<ds:Signature xmlns:ds=\"" + std::string(kDsigNamespace) + "\"><ds:SignedInfo>" +
         algorithm("CanonicalizationMethod", kC14n11) + algorithm("SignatureMethod", kEcdsaSha384) +
         "<ds:Reference URI=\"\"><ds:Transforms>" + algorithm("Transform", kEnveloped) +
         algorithm("Transform", kC14n11) + "</ds:Transforms>" + algorithm("DigestMethod", kSha384) +
         "<ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/></ds:Signature>";
}

std::string key_info(const std::vector<Certificate>& chain) {
  std::string out = "<ds:KeyInfo><ds:X509Data>";
  for (const Certificate& certificate : chain) {
    out += "<ds:X509Certificate>" + to_base64(certificate.der()) + "</ds:X509Certificate>";
  }
  return out + "</ds:X509Data></ds:KeyInfo>";
}

}  // namespace

Result<std::string> sign_xml(std::string_view unsigned_xml, const EcKey& key, const std::vector<Certificate>& chain) {
  const ErrorQueueGuard guard;
  const XmlSilence silence;
  if (key.curve() != Curve::kP384) return fail(ErrorCode::kBadKey, "XML is signed with a key on P-384");
  const std::size_t end = unsigned_xml.rfind("</");
  if (end == std::string_view::npos) return fail(ErrorCode::kBadXml, "XML: no closing tag at the end");
  std::string text(unsigned_xml.substr(0, end));
  text += signature_template();
  text += unsigned_xml.substr(end);
  TRY(document, parse_plain_xml(text));
  xmlNode* signature = xmlGetLastChild(xmlDocGetRootElement(document.get()));
  while (signature != nullptr && signature->type != XML_ELEMENT_NODE) signature = signature->prev;
  const DsigCtxPtr context = make_dsig_context(key.impl().key.get());
  if (signature == nullptr || xmlSecDSigCtxSign(context.get(), signature) < 0) {
    return fail(ErrorCode::kCrypto, "the XML document cannot be signed");
  }
  xmlChar* dump = nullptr;
  int size = 0;
  xmlDocDumpMemoryEnc(document.get(), &dump, &size, "UTF-8");
  require(dump != nullptr && size > 0, "XML document");
  std::string out(reinterpret_cast<const char*>(dump), static_cast<std::size_t>(size));
  xmlFree(dump);
  constexpr std::string_view kAfter = "</ds:SignatureValue>";
  const std::size_t at = out.rfind(kAfter);
  require(at != std::string::npos, "XML signature value");
  out.insert(at + kAfter.size(), key_info(chain));
  return out;
}

}  // namespace cloister::crypto
