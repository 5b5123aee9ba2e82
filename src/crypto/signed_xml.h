// XML documents with one enveloped signature (W3C XML-DSig), which is the form of NVIDIA's reference manifests. Only
// ECDSA P-384 with SHA-384 over Canonical XML 1.1 is accepted; every other algorithm, transform, reference or place of
// a signature is refused before anything is computed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/x509.h"

namespace cloister::crypto {

struct XmlAttribute {
  std::string name;           // without prefix
  std::string namespace_uri;  // empty for attributes without a prefix
  std::string value;
};

// An element as it was signed. Text between the tags is left out, since no manifest has any there.
struct XmlElement {
  std::string name;
  std::string namespace_uri;
  std::vector<XmlAttribute> attributes;
  std::vector<XmlElement> children;

  // Null when there is no such attribute.
  const std::string* attribute(std::string_view attribute_name, std::string_view attribute_namespace = {}) const;
};

// One thread at a time; different documents may be used on different threads.
class SignedXml {
 public:
  // Accepts UTF-8, at most 1 MiB and 32 levels. Refused: DOCTYPE, comments, CDATA, processing instructions, anything
  // that is not well-formed, more or fewer than one Signature, one that is not directly under the root, and any part of
  // it in another form than the one described above. Nothing of the content is trusted, and none of it can be read yet.
  static Result<SignedXml> parse(std::string_view text);
  SignedXml(SignedXml&&) noexcept;
  SignedXml& operator=(SignedXml&&) noexcept;
  ~SignedXml();

  // The certificates of KeyInfo, 1 to 8 in their order. They are not signed: verify them by their chain.
  const std::vector<Certificate>& certificates() const;
  // Verifies with the key of the first certificate and returns what the signature covers, which is everything except
  // the Signature itself.
  Result<XmlElement> verify() const;

 private:
  struct Impl;
  explicit SignedXml(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Signs a document in the form that SignedXml accepts: `unsigned_xml` without XML declaration, with a closing tag at
// its end. `chain` goes into KeyInfo; its first certificate should be that of `key`, which must be on P-384. For
// evidence made by simulators and tests.
Result<std::string> sign_xml(std::string_view unsigned_xml, const EcKey& key, const std::vector<Certificate>& chain);

}  // namespace cloister::crypto
