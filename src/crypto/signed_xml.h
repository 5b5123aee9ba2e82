// XML documents with one enveloped signature (W3C XML-DSig), as NVIDIA's reference manifests are: attestation.md
// section 9.3. Only ECDSA P-384 with SHA-384 over Canonical XML 1.1; every other algorithm, transform, reference or
// place of a signature is refused before anything is computed.
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

// An element as it was signed. Text between the tags is left out: no manifest says anything there.
struct XmlElement {
  std::string name;
  std::string namespace_uri;
  std::vector<XmlAttribute> attributes;
  std::vector<XmlElement> children;

  // Null when there is none.
  const std::string* attribute(std::string_view attribute_name, std::string_view attribute_namespace = {}) const;
};

// One thread at a time; different documents on different threads are fine.
class SignedXml {
 public:
  // UTF-8, at most 1 MiB and 32 levels. Refused: DOCTYPE, comments, CDATA, processing instructions, anything that is
  // not well-formed, more or less than one Signature, one that is not directly under the root, any part of it that is
  // not the one form described above. Nothing of the content is believed, and none of it can be read yet.
  static Result<SignedXml> parse(std::string_view text);
  SignedXml(SignedXml&&) noexcept;
  SignedXml& operator=(SignedXml&&) noexcept;
  ~SignedXml();

  // Those of KeyInfo, 1 to 8 in their order. Not signed: judge them by their chain.
  const std::vector<Certificate>& certificates() const;
  // Verifies under the key of the first certificate and returns what the signature covers, that is, everything but the
  // Signature itself.
  Result<XmlElement> verify() const;

 private:
  struct Impl;
  explicit SignedXml(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Signs a document in the form that SignedXml takes: `unsigned_xml` without XML declaration, with a closing tag at its
// end. `chain` goes into KeyInfo; its first certificate should be that of `key`, which must be on P-384.
// For evidence made by simulators and tests.
Result<std::string> sign_xml(std::string_view unsigned_xml, const EcKey& key, const std::vector<Certificate>& chain);

}  // namespace cloister::crypto
