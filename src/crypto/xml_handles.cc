#include "crypto/xml_handles.h"

#include <xmlsec/errors.h>
#include <xmlsec/io.h>
#include <xmlsec/openssl/crypto.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/transforms.h>
#include <xmlsec/xmlsec.h>

#include <mutex>
#include <string>

namespace cloister::crypto {
namespace {

constexpr std::size_t kMostXmlBytes = 1u << 20;

void ignore_xmlsec_error(const char*, int, const char*, const char*, const char*, int, const char*) {}

void ignore_xml_error(void*, xmlError*) {}

// The text is below 1 MiB.
int size_of(std::string_view text) { return static_cast<int>(text.size()); }

// libxml2 2.9 compares each attribute of an element with all others. No '<' occurs inside a tag, so the distance
// between two of them bounds the number of attributes.
bool too_many_attributes(std::string_view text) {
  constexpr std::size_t kMostAttributes = 256;
  std::size_t since_tag = 0;
  for (const char c : text) {
    if (c == '<') since_tag = 0;
    if (c == '=' && ++since_tag > kMostAttributes) return true;
  }
  return false;
}

Error malformed(const std::string& what) { return fail(ErrorCode::kBadXml, "XML: " + what); }

}  // namespace

XmlSilence::XmlSilence() : before_(xmlStructuredError), context_before_(xmlStructuredErrorContext) {
  xmlSetStructuredErrorFunc(nullptr, ignore_xml_error);
}

XmlSilence::~XmlSilence() { xmlSetStructuredErrorFunc(context_before_, before_); }

void start_xml() {
  static std::once_flag once;
  std::call_once(once, [] {
    xmlInitParser();
    require(xmlSecInit() == 0 && xmlSecOpenSSLInit() == 0, "xmlsec");
    // xmlsec comes with readers for files, HTTP and FTP, but nothing here may ever be fetched.
    xmlSecIOCleanupCallbacks();
    // Its own callback would print to stderr and leave entries in OpenSSL's queue.
    xmlSecErrorsSetCallback(ignore_xmlsec_error);
  });
}

Result<XmlDocPtr> parse_plain_xml(std::string_view text) {
  if (text.size() > kMostXmlBytes) {
    return malformed("expected at most 1048576 bytes, got " + std::to_string(text.size()));
  }
  if (text.find('\0') != std::string_view::npos) return malformed("a zero byte");
  // Checked before the parser sees it: in a well-formed document '<' occurs only before markup.
  if (text.find("<!") != std::string_view::npos) return malformed("DOCTYPE, comments and CDATA are refused");
  if (const std::size_t at = text.rfind("<?");
      at != std::string_view::npos && (at != 0 || !text.starts_with("<?xml "))) {
    return malformed("processing instructions are refused");
  }
  if (too_many_attributes(text)) return malformed("more than 256 attributes in one element");
  start_xml();
  const XmlParserPtr parser(xmlNewParserCtxt());
  require(parser != nullptr, "no memory for an XML parser");
  XmlDocPtr document(xmlCtxtReadMemory(parser.get(), text.data(), size_of(text), nullptr, "UTF-8",
                                       XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
  if (document == nullptr || parser->wellFormed == 0 || parser->nsWellFormed == 0) {
    const xmlError* error = xmlCtxtGetLastError(parser.get());
    return malformed("not well-formed" + (error == nullptr ? "" : " at line " + std::to_string(error->line)));
  }
  if (document->intSubset != nullptr || document->extSubset != nullptr) return malformed("DOCTYPE is refused");
  if (xmlDocGetRootElement(document.get()) == nullptr) return malformed("no root element");
  return document;
}

DsigCtxPtr make_dsig_context(EVP_PKEY* key) {
  DsigCtxPtr context(xmlSecDSigCtxCreate(nullptr));  // no key manager: nothing else can provide a key
  require(context != nullptr, "no memory for an XML signature");
  context->enabledReferenceUris = xmlSecTransformUriTypeEmpty;
  for (const xmlSecTransformId id :
       {xmlSecTransformEnvelopedId, xmlSecTransformInclC14N11Id, xmlSecOpenSSLTransformSha384Id}) {
    require(xmlSecDSigCtxEnableReferenceTransform(context.get(), id) == 0, "XML signature transforms");
  }
  for (const xmlSecTransformId id : {xmlSecTransformInclC14N11Id, xmlSecOpenSSLTransformEcdsaSha384Id}) {
    require(xmlSecDSigCtxEnableSignatureTransform(context.get(), id) == 0, "XML signature transforms");
  }
  require(EVP_PKEY_up_ref(key) == 1, "EC key");
  const xmlSecKeyDataPtr value = xmlSecOpenSSLEvpKeyAdopt(key);
  require(value != nullptr, "XML signature key");
  const xmlSecKeyPtr holder = xmlSecKeyCreate();
  require(holder != nullptr && xmlSecKeySetValue(holder, value) == 0, "XML signature key");
  context->signKey = holder;  // the context owns it from here on
  return context;
}

}  // namespace cloister::crypto
