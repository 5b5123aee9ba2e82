#include "crypto/signed_xml.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/result_testing.h"
#include "base/testing/vectors.h"

namespace cloister::crypto {
namespace {

using testing::vector_text;

constexpr const char* kRim = "nvidia/rims/NV_GPU_DRIVER_GH100_550.144.03.xml";
constexpr std::string_view kDocument =
    "<a xmlns=\"urn:x\" xmlns:n=\"urn:n\" one=\"1\">\n <b n:two=\"2 &lt; 3\"><c/></b>text\n</a>";

struct Signer {
  EcKey key = *EcKey::derive(Curve::kP384, Bytes(32, 1), "xml signer");
  Certificate certificate = make(key);

  static Certificate make(const EcKey& key) {
    CertificateSpec spec;
    spec.subject_common_name = spec.issuer_common_name = "signer";
    spec.not_after = 253402300799;
    spec.serial = {1};
    return *issue_certificate(spec, key, key);
  }
};

std::string signed_document(std::string_view text = kDocument) {
  const Signer signer;
  return *sign_xml(text, signer.key, {signer.certificate});
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

void expect_refused(const std::string& text, std::string_view part) {
  const auto parsed = SignedXml::parse(text);
  ASSERT_FALSE(parsed) << part;
  EXPECT_NE(parsed.error().message.find(part), std::string::npos)
      << parsed.error().message << " (expected: " << part << ")";
}

TEST(SignedXml, GivesWhatWasSigned) {
  const auto document = SignedXml::parse(signed_document());
  ASSERT_TRUE(document) << document.error().message;
  ASSERT_EQ(document->certificates().size(), 1u);
  const auto root = document->verify();
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(root->name, "a");
  EXPECT_EQ(root->namespace_uri, "urn:x");
  ASSERT_NE(root->attribute("one"), nullptr);
  EXPECT_EQ(*root->attribute("one"), "1");
  EXPECT_EQ(root->attribute("two"), nullptr);
  ASSERT_EQ(root->children.size(), 1u);  // not the Signature
  ASSERT_NE(root->children[0].attribute("two", "urn:n"), nullptr);
  EXPECT_EQ(*root->children[0].attribute("two", "urn:n"), "2 < 3");
  EXPECT_EQ(root->children[0].attribute("two"), nullptr);
  EXPECT_EQ(root->children[0].children[0].name, "c");
}

TEST(SignedXml, AChangeOfTheContentOrOfTheSignatureIsNoticed) {
  const std::string text = signed_document();
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"one=\"1\"", "one=\"2\""}, {"<c/>", "<d/>"}, {"text", "tex"}, {"2 &lt; 3", "2 &gt; 3"}}) {
    const auto document = SignedXml::parse(replaced(text, from, to));
    ASSERT_TRUE(document) << from << document.error().message;
    const auto root = document->verify();
    ASSERT_FALSE(root) << from;
    EXPECT_EQ(root.error().code, ErrorCode::kBadSignature);
    EXPECT_NE(root.error().message.find("changed after"), std::string::npos) << root.error().message;
  }
  const std::string value = text.substr(text.find("<ds:SignatureValue>") + 19, 10);
  std::string other = value;
  other[5] = other[5] == 'A' ? 'B' : 'A';
  const auto document = SignedXml::parse(replaced(text, value, other));
  ASSERT_TRUE(document);
  const auto root = document->verify();
  ASSERT_FALSE(root);
  EXPECT_NE(root.error().message.find("does not verify"), std::string::npos) << root.error().message;
}

TEST(SignedXml, AnotherSignersCertificateDoesNotVerify) {
  const Signer signer;
  const EcKey other = *EcKey::derive(Curve::kP384, Bytes(32, 2), "other");
  const auto document = SignedXml::parse(*sign_xml(kDocument, other, {signer.certificate}));
  ASSERT_TRUE(document);
  EXPECT_REFUSED(document->verify(), "XML signature: the value does not verify under the signer's key");
  // A second certificate does not help either.
  const auto second = SignedXml::parse(*sign_xml(kDocument, other, {signer.certificate, Signer::make(other)}));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->certificates().size(), 2u);
  EXPECT_REFUSED(second->verify(), "XML signature: the value does not verify under the signer's key");
}

TEST(SignedXml, AKeyOnAnotherCurveIsRefused) {
  const Signer signer;
  const EcKey p256 = *EcKey::derive(Curve::kP256, Bytes(32, 1), "p256");
  EXPECT_REFUSED(sign_xml(kDocument, p256, {signer.certificate}), "XML is signed with a key on P-384");
  const auto document = SignedXml::parse(*sign_xml(kDocument, signer.key, {Signer::make(p256)}));
  ASSERT_TRUE(document);
  EXPECT_NE(document->verify().error().message.find("P-384"), std::string::npos);
}

TEST(SignedXml, WhatIsNoPlainXmlIsRefused) {
  const std::string text = signed_document();
  const std::string bare = text.substr(text.find("<a "));
  ASSERT_TRUE(SignedXml::parse(bare));
  expect_refused("", "not well-formed");
  expect_refused("<a>", "not well-formed");
  expect_refused("<a/>", "no Signature");
  expect_refused(bare + "<b/>", "not well-formed");
  expect_refused(bare + "x", "not well-formed");
  expect_refused(bare + std::string(1, '\0'), "zero byte");
  expect_refused(bare + "<!-- -->", "refused");
  expect_refused("<?pi?>" + bare, "refused");
  expect_refused(bare + "<?pi?>", "refused");
  expect_refused(replaced(bare, "text", "<![CDATA[x]]>"), "refused");
  expect_refused(replaced(bare, "text", "&unknown;"), "not well-formed");
  expect_refused(replaced(bare, "text", "\xff\xfe"), "not well-formed");
  expect_refused(replaced(bare, "<c/>", "<p:c/>"), "not well-formed");  // no such prefix
  expect_refused("<!DOCTYPE a SYSTEM \"file:///etc/hostname\">" + bare, "DOCTYPE");
  expect_refused("<!DOCTYPE a [<!ENTITY e \"x\">]>" + replaced(bare, "text", "&e;"), "DOCTYPE");
  expect_refused(std::string((1u << 20) + 1, ' '), "at most 1048576");
}

TEST(SignedXml, DeepNestingIsRefused) {
  const auto nested = [](int levels) {
    std::string open, close;
    for (int i = 0; i < levels; ++i) open += "<b>", close += "</b>";
    return "<a>" + open + close + "</a>";
  };
  EXPECT_TRUE(SignedXml::parse(signed_document(nested(31))));
  expect_refused(signed_document(nested(32)), "nested deeper");
  EXPECT_REFUSED(SignedXml::parse(nested(100000)), "XML: not well-formed at line 1");
}

TEST(SignedXml, ManyAttributesAreRefused) {
  const auto with = [](int count) {
    std::string out = "<a";
    for (int i = 0; i < count; ++i) out += " a" + std::to_string(i) + "=\"\"";
    return out + "></a>";
  };
  EXPECT_TRUE(SignedXml::parse(signed_document(with(256))));
  expect_refused(with(257), "256 attributes");
  expect_refused(with(80000), "256 attributes");
}

// The parser accepts the one form, and no similar one.
TEST(SignedXml, EveryOtherFormOfTheSignatureIsRefused) {
  const std::string text = signed_document();
  const auto algorithm = [&](const char* from, const char* to) { return replaced(text, from, to); };
  expect_refused(algorithm("xmldsig-more#ecdsa-sha384", "xmldsig-more#ecdsa-sha256"), "SignatureMethod");
  expect_refused(algorithm("xmldsig-more#ecdsa-sha384", "xmldsig-more#hmac-sha384"), "SignatureMethod");
  expect_refused(algorithm("DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#sha384",
                           "DigestMethod Algorithm=\"http://www.w3.org/2000/09/xmldsig#sha1"),
                 "DigestMethod");
  expect_refused(algorithm("CanonicalizationMethod Algorithm=\"http://www.w3.org/2006/12/xml-c14n11",
                           "CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
                 "CanonicalizationMethod");
  expect_refused(algorithm("xmldsig#enveloped-signature", "xmldsig#base64"), "Transform");
  expect_refused(algorithm("Transform Algorithm=\"http://www.w3.org/2006/12/xml-c14n11",
                           "Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116"),
                 "Transform");
  expect_refused(algorithm("URI=\"\"", "URI=\"#x\""), "URI");
  expect_refused(algorithm("URI=\"\"", "URI=\"file:///etc/hostname\""), "URI");
  expect_refused(algorithm("URI=\"\"", "URI=\"\" Type=\"x\""), "URI");
  expect_refused(algorithm(" URI=\"\"", ""), "URI");
  expect_refused(replaced(text, "</ds:Transforms>", "<ds:Transform Algorithm=\"x\"/></ds:Transforms>"), "Transforms");
  const std::size_t reference = text.find("<ds:Reference"), end = text.find("</ds:SignedInfo>");
  const std::string one = text.substr(reference, end - reference);
  expect_refused(replaced(text, one, one + one), "SignedInfo");
  expect_refused(replaced(text, one, ""), "SignedInfo");
  expect_refused(replaced(text, "<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyName>x</ds:KeyName>"), "KeyInfo");
  expect_refused(replaced(text, "<ds:X509Certificate>", "<ds:X509Certificate>*"), "X509Certificate");
  expect_refused(replaced(text, "</ds:Signature>", "<ds:Object/></ds:Signature>"), "Signature");
  expect_refused(replaced(text, "<ds:Signature ", "<ds:Signature Id=\"x\" "), "no attribute");
}

TEST(SignedXml, ASignatureElsewhereOrASecondOneIsRefused) {
  const std::string text = signed_document();
  const std::size_t from = text.find("<ds:Signature "), to = text.find("</ds:Signature>") + 15;
  const std::string signature = text.substr(from, to - from);
  expect_refused(replaced(text, signature, signature + signature), "more than one");
  expect_refused(replaced(text, signature, "<w>" + signature + "</w>"), "no Signature");
  expect_refused(replaced(text, "<c/>", signature), "second signature");
  // Wrapping: the signed document is inside another one.
  const std::string bare = text.substr(text.find("<a "));
  expect_refused("<a xmlns=\"urn:x\">" + bare + "</a>", "no Signature");
  const std::string emptied = replaced(bare, signature, "");
  expect_refused("<a xmlns=\"urn:x\">" + bare + signature + "</a>", "second signature");
  const auto wrapped = SignedXml::parse("<a xmlns=\"urn:x\"><w>" + emptied + "</w>" + signature + "</a>");
  ASSERT_TRUE(wrapped) << wrapped.error().message;
  EXPECT_REFUSED(wrapped->verify(), "XML signature: the document was changed after it was signed");
}

TEST(SignedXml, ManyThreadsAtOnce) {
  const std::string text = signed_document();
  std::vector<std::thread> threads;
  std::vector<int> good(4, 0);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        const auto document = SignedXml::parse(text);
        good[static_cast<std::size_t>(t)] += document && document->verify();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, std::vector<int>(4, 5));
}

TEST(SignedXml, GenuineManifests) {
  const auto document = SignedXml::parse(vector_text(kRim));
  ASSERT_TRUE(document) << document.error().message;
  ASSERT_EQ(document->certificates().size(), 4u);
  EXPECT_EQ(document->certificates()[3].subject_common_name(), "NVIDIA CoRIM signing Root CA");
  const auto root = document->verify();
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(root->name, "SoftwareIdentity");
  ASSERT_EQ(root->children.size(), 3u);
  EXPECT_EQ(root->children[2].children.size(), 64u);
}

}  // namespace
}  // namespace cloister::crypto
