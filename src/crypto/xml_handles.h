// Private to src/crypto: owning handles for libxml2 and xmlsec, and what signing and verifying of XML both need.
#pragma once

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>
#include <xmlsec/xmldsig.h>

#include <string_view>

#include "base/result.h"
#include "crypto/openssl_handles.h"

namespace cloister::crypto {

using XmlDocPtr = Handle<xmlDoc, xmlFreeDoc>;
using XmlParserPtr = Handle<xmlParserCtxt, xmlFreeParserCtxt>;
using DsigCtxPtr = Handle<xmlSecDSigCtx, xmlSecDSigCtxDestroy>;

inline constexpr std::string_view kDsigNamespace = "http://www.w3.org/2000/09/xmldsig#";
inline constexpr std::string_view kC14n11 = "http://www.w3.org/2006/12/xml-c14n11";
inline constexpr std::string_view kEcdsaSha384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384";
inline constexpr std::string_view kEnveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
inline constexpr std::string_view kSha384 = "http://www.w3.org/2001/04/xmldsig-more#sha384";

// While one exists, libxml2 prints nothing on this thread: otherwise documents from outside could write to stderr.
class XmlSilence {
 public:
  XmlSilence();
  ~XmlSilence();
  XmlSilence(const XmlSilence&) = delete;
  XmlSilence& operator=(const XmlSilence&) = delete;

 private:
  xmlStructuredErrorFunc before_;
  void* context_before_;
};

// Starts both libraries once for the process. Afterwards xmlsec can open no file and no URL, and prints nothing.
void start_xml();

// Accepts well-formed UTF-8 without DOCTYPE, comments, CDATA and processing instructions, at most 1 MiB. No network, no
// entities except XML's own five.
Result<XmlDocPtr> parse_plain_xml(std::string_view text);

// A context that accepts only the algorithms above and the given key. `key` is shared, not taken over.
DsigCtxPtr make_dsig_context(EVP_PKEY* key);

inline std::string_view xml_text(const xmlChar* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

}  // namespace cloister::crypto
