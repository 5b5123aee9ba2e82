#include "crypto/signed_xml.h"

#include <algorithm>
#include <string>

#include "base/encoding.h"
#include "crypto/certificate_handles.h"
#include "crypto/xml_handles.h"

namespace cloister::crypto {
namespace {

constexpr int kMostLevels = 32;
constexpr std::size_t kMostCertificates = 8;
constexpr std::size_t kDigestSize = 48;
constexpr std::size_t kSignatureSize = 96;

Error malformed(const std::string& what) { return fail(ErrorCode::kBadXml, "XML signature: " + what); }
Error not_valid(const std::string& what) { return fail(ErrorCode::kBadSignature, "XML signature: " + what); }

std::string_view namespace_of(const xmlNode* node) {
  return node->ns == nullptr ? std::string_view() : xml_text(node->ns->href);
}

bool is_dsig(const xmlNode* node, std::string_view name) {
  return node->type == XML_ELEMENT_NODE && xml_text(node->name) == name && namespace_of(node) == kDsigNamespace;
}

bool is_space(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
}

// The children of an element of the signature: exactly these names, with only white space between them.
Result<std::vector<const xmlNode*>> children_named(const xmlNode* node, const std::vector<std::string_view>& names) {
  std::vector<const xmlNode*> out;
  for (const xmlNode* child = node->children; child != nullptr; child = child->next) {
    if (child->type == XML_TEXT_NODE && is_space(xml_text(child->content))) continue;
    if (out.size() == names.size() || !is_dsig(child, names[out.size()])) {
      return malformed("unexpected content in " + std::string(xml_text(node->name)));
    }
    out.push_back(child);
  }
  if (out.size() != names.size()) {
    return malformed("expected " + std::to_string(names.size()) + " elements in " + std::string(xml_text(node->name)) +
                     ", got " + std::to_string(out.size()));
  }
  return out;
}

// Returns one text without white space.
Result<std::string> text_of(const xmlNode* node) {
  const xmlNode* child = node->children;
  if (child == nullptr || child->type != XML_TEXT_NODE || child->next != nullptr) {
    return malformed("expected " + std::string(xml_text(node->name)) + " to hold text");
  }
  std::string out(xml_text(child->content));
  std::erase_if(out, [](char c) { return is_space({&c, 1}); });
  return out;
}

// Expects exactly this attribute and no other.
Result<void> expect_attribute(const xmlNode* node, std::string_view name, std::string_view expected) {
  const xmlAttr* attribute = node->properties;
  if (attribute == nullptr || attribute->next != nullptr || attribute->ns != nullptr ||
      xml_text(attribute->name) != name) {
    return malformed("expected " + std::string(xml_text(node->name)) + " to have the attribute " + std::string(name) +
                     " alone");
  }
  // Entity references would be nodes of their own; an empty value has no node.
  const xmlNode* value = attribute->children;
  const bool plain = value == nullptr || (value->type == XML_TEXT_NODE && value->next == nullptr);
  const std::string_view actual = value == nullptr ? std::string_view() : xml_text(value->content);
  if (!plain || actual != expected) {
    return malformed("expected " + std::string(name) + " \"" + std::string(expected) + "\" in " +
                     std::string(xml_text(node->name)) + ", got another");
  }
  return {};
}

Result<void> expect_no_attribute(const xmlNode* node) {
  if (node->properties == nullptr) return {};
  return malformed("expected no attribute in " + std::string(xml_text(node->name)));
}

// An element that only names an algorithm.
Result<void> expect_algorithm(const xmlNode* node, std::string_view algorithm) {
  TRY_VOID(expect_attribute(node, "Algorithm", algorithm));
  TRY_VOID(children_named(node, {}));
  return {};
}

Result<void> expect_base64(const xmlNode* node, std::size_t size) {
  TRY_VOID(expect_no_attribute(node));
  TRY(text, text_of(node));
  const Result<Bytes> bytes = from_base64(text);
  if (!bytes) return malformed(std::string(xml_text(node->name)) + ": " + bytes.error().message);
  if (bytes->size() == size) return {};
  return malformed("expected " + std::string(xml_text(node->name)) + " to hold " + std::to_string(size) +
                   " bytes, got " + std::to_string(bytes->size()));
}

Result<void> check_reference(const xmlNode* reference) {
  TRY_VOID(expect_attribute(reference, "URI", ""));
  TRY(parts, children_named(reference, {"Transforms", "DigestMethod", "DigestValue"}));
  TRY_VOID(expect_no_attribute(parts[0]));
  TRY(transforms, children_named(parts[0], {"Transform", "Transform"}));
  TRY_VOID(expect_algorithm(transforms[0], kEnveloped));
  TRY_VOID(expect_algorithm(transforms[1], kC14n11));
  TRY_VOID(expect_algorithm(parts[1], kSha384));
  return expect_base64(parts[2], kDigestSize);
}

Result<void> check_signed_info(const xmlNode* signed_info) {
  TRY_VOID(expect_no_attribute(signed_info));
  TRY(parts, children_named(signed_info, {"CanonicalizationMethod", "SignatureMethod", "Reference"}));
  TRY_VOID(expect_algorithm(parts[0], kC14n11));
  TRY_VOID(expect_algorithm(parts[1], kEcdsaSha384));
  return check_reference(parts[2]);
}

Result<std::vector<Certificate>> read_certificates(const xmlNode* key_info) {
  TRY_VOID(expect_no_attribute(key_info));
  TRY(data, children_named(key_info, {"X509Data"}));
  TRY_VOID(expect_no_attribute(data[0]));
  std::vector<Certificate> out;
  for (const xmlNode* child = data[0]->children; child != nullptr; child = child->next) {
    if (child->type == XML_TEXT_NODE && is_space(xml_text(child->content))) continue;
    if (!is_dsig(child, "X509Certificate")) return malformed("X509Data holds something else than certificates");
    if (out.size() == kMostCertificates) return malformed("more than 8 certificates");
    TRY_VOID(expect_no_attribute(child));
    TRY(text, text_of(child));
    const Result<Bytes> der = from_base64(text);
    if (!der) return malformed("X509Certificate: " + der.error().message);
    TRY(certificate, Certificate::from_der(*der));
    out.push_back(std::move(certificate));
  }
  if (out.empty()) return malformed("KeyInfo holds no certificate");
  return out;
}

Result<std::vector<Certificate>> check_signature(const xmlNode* signature) {
  TRY_VOID(expect_no_attribute(signature));
  TRY(parts, children_named(signature, {"SignedInfo", "SignatureValue", "KeyInfo"}));
  TRY_VOID(check_signed_info(parts[0]));
  TRY_VOID(expect_base64(parts[1], kSignatureSize));
  return read_certificates(parts[2]);
}

// No element of the content is in the signature's namespace: a signature anywhere else is an attempt at wrapping.
Result<void> check_content(const xmlNode* node, const xmlNode* signature, int level) {
  if (level > kMostLevels) return malformed("nested deeper than " + std::to_string(kMostLevels) + " levels");
  if (namespace_of(node) == kDsigNamespace) {
    return malformed("a second signature, or one that is not directly under the root");
  }
  for (const xmlNode* child = node->children; child != nullptr; child = child->next) {
    if (child == signature || child->type == XML_TEXT_NODE) continue;
    if (child->type != XML_ELEMENT_NODE) return malformed("something else than elements and text");
    TRY_VOID(check_content(child, signature, level + 1));
  }
  return {};
}

Result<xmlNode*> find_signature(xmlNode* root) {
  xmlNode* found = nullptr;
  for (xmlNode* child = root->children; child != nullptr; child = child->next) {
    if (!is_dsig(child, "Signature")) continue;
    if (found != nullptr) return malformed("more than one Signature");
    found = child;
  }
  if (found == nullptr) return malformed("no Signature directly under the root");
  return found;
}

// `check_content` has limited the depth.
XmlElement read_element(const xmlNode* node, const xmlNode* signature) {
  XmlElement out;
  out.name = xml_text(node->name);
  out.namespace_uri = namespace_of(node);
  for (const xmlAttr* attribute = node->properties; attribute != nullptr; attribute = attribute->next) {
    XmlAttribute read;
    read.name = xml_text(attribute->name);
    if (attribute->ns != nullptr) read.namespace_uri = xml_text(attribute->ns->href);
    for (const xmlNode* part = attribute->children; part != nullptr; part = part->next) {
      read.value += xml_text(part->content);
    }
    out.attributes.push_back(std::move(read));
  }
  for (const xmlNode* child = node->children; child != nullptr; child = child->next) {
    if (child != signature && child->type == XML_ELEMENT_NODE) out.children.push_back(read_element(child, signature));
  }
  return out;
}

}  // namespace

const std::string* XmlElement::attribute(std::string_view attribute_name, std::string_view attribute_namespace) const {
  const auto found = std::ranges::find_if(attributes, [&](const XmlAttribute& a) {
    return a.name == attribute_name && a.namespace_uri == attribute_namespace;
  });
  return found == attributes.end() ? nullptr : &found->value;
}

struct SignedXml::Impl {
  XmlDocPtr document;
  xmlNode* signature;  // inside the document
  std::vector<Certificate> certificates;
};

SignedXml::SignedXml(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SignedXml::SignedXml(SignedXml&&) noexcept = default;
SignedXml& SignedXml::operator=(SignedXml&&) noexcept = default;
SignedXml::~SignedXml() = default;

Result<SignedXml> SignedXml::parse(std::string_view text) {
  TRY(document, parse_plain_xml(text));
  xmlNode* root = xmlDocGetRootElement(document.get());
  TRY(signature, find_signature(root));
  TRY_VOID(check_content(root, signature, 1));
  TRY(certificates, check_signature(signature));
  return SignedXml(std::make_unique<Impl>(Impl{std::move(document), signature, std::move(certificates)}));
}

const std::vector<Certificate>& SignedXml::certificates() const { return impl_->certificates; }

Result<XmlElement> SignedXml::verify() const {
  const ErrorQueueGuard guard;
  const XmlSilence silence;
  const Certificate& signer = impl_->certificates.front();
  TRY(curve, signer.ec_curve());
  if (curve != Curve::kP384) return not_valid("expected the signer's key on P-384, got one on another curve");
  const DsigCtxPtr context = make_dsig_context(signer.impl().key());
  if (xmlSecDSigCtxVerify(context.get(), impl_->signature) < 0) return not_valid("cannot be processed");
  if (xmlSecPtrListGetSize(&context->signedInfoReferences) != 1) return not_valid("expected one reference");
  const auto* reference =
      static_cast<xmlSecDSigReferenceCtxPtr>(xmlSecPtrListGetItem(&context->signedInfoReferences, 0));
  if (reference == nullptr || reference->status != xmlSecDSigStatusSucceeded) {
    return not_valid("the document was changed after it was signed");
  }
  if (context->status != xmlSecDSigStatusSucceeded)
    return not_valid("the value does not verify under the signer's key");
  return read_element(xmlDocGetRootElement(impl_->document.get()), impl_->signature);
}

}  // namespace cloister::crypto
