#include "codec/coev.h"

#include "codec/cbor.h"

namespace cloister::codec {
namespace {

using Kind = CborValue::Kind;

constexpr std::uint64_t kTocTag = 570, kEvidenceTag = 571, kUriTag = 32;
constexpr std::uint64_t kEvidence = 0, kLocators = 1, kProfile = 2;           // spdm-toc-map
constexpr std::uint64_t kTriples = 0, kEvidenceId = 1, kEvidenceProfile = 2;  // concise-evidence-map
constexpr std::uint64_t kEvidenceTriples = 0;                                 // ev-triples-map
constexpr std::uint64_t kHref = 0, kThumbprint = 1;                           // corim-locator-map
constexpr std::size_t kMostEvidence = 8, kMostLocators = 8, kMostTriples = 256;

Error malformed(const std::string& what) { return fail(ErrorCode::kBadGpuEvidence, "concise evidence: " + what); }
Error unsupported(const std::string& what) {
  return fail(ErrorCode::kUnsupported, "concise evidence: " + what + " are not supported");
}
Error of_evidence(const Error& error) {
  return fail(error.code == ErrorCode::kUnsupported ? error.code : ErrorCode::kBadGpuEvidence,
              "concise evidence: " + error.message);
}

// Accepts a map whose keys are among the first `known` numbers.
Result<void> expect_map(const CborValue& value, std::uint64_t known, const std::string& name) {
  if (!value.is(Kind::kMap)) return malformed("expected " + name + " to be a map");
  for (std::size_t i = 0; i < value.items.size(); i += 2) {
    if (!value.items[i].is(Kind::kUnsigned) || value.items[i].number >= known) {
      return unsupported("other members of " + name);
    }
  }
  return {};
}

Result<std::string> read_uri(const CborValue& value) {
  const CborValue* uri = value.tagged(kUriTag);
  if (uri == nullptr || !uri->is(Kind::kText) || uri->text.empty()) return malformed("expected a URI");
  return uri->text;
}

// Each is [environment, measurements].
Result<void> read_triples(const CborValue& triples, SpdmToc& out) {
  TRY_VOID(expect_map(triples, kEvidenceTriples + 1, "the triples"));
  const CborValue* list = triples.member(kEvidenceTriples);
  if (list == nullptr || !list->is(Kind::kArray) || list->items.empty()) return malformed("expected a list of triples");
  for (const CborValue& item : list->items) {
    if (out.triples.size() == kMostTriples) return malformed("more than 256 triples");
    Result<ComidTriple> triple = read_comid_triple(item, ComidUse::kEvidence);
    if (!triple) return of_evidence(triple.error());
    out.triples.push_back(*std::move(triple));
  }
  return {};
}

Result<void> read_evidence(const CborValue& item, SpdmToc& out) {
  const CborValue* evidence = item.tagged(kEvidenceTag);
  if (evidence == nullptr) return malformed("expected a map, tagged 571");
  TRY_VOID(expect_map(*evidence, kEvidenceProfile + 1, "the evidence"));
  // It is unknown what a profile would change.
  if (evidence->member(kEvidenceProfile) != nullptr) return unsupported("profiles of single evidence");
  if (const CborValue* id = evidence->member(kEvidenceId); id != nullptr && !id->is(Kind::kTag)) {
    return malformed("expected the id to be a UUID");
  }
  const CborValue* triples = evidence->member(kTriples);
  if (triples == nullptr) return malformed("no triples");
  return read_triples(*triples, out);
}

Result<void> read_locator(const CborValue& locator, SpdmToc& out) {
  TRY_VOID(expect_map(locator, kThumbprint + 1, "a locator"));
  const CborValue* href = locator.member(kHref);
  if (href == nullptr) return malformed("a locator without a URI");
  // Alternative locations of one manifest: it is unknown which of them to use.
  if (href->is(Kind::kArray)) return unsupported("several places of one manifest");
  TRY(uri, read_uri(*href));
  out.rim_locators.push_back(std::move(uri));
  return {};
}

}  // namespace

Result<SpdmToc> read_spdm_toc(ByteView bytes) {
  const Result<CborValue> item = parse_cbor(bytes);
  if (!item) return of_evidence(item.error());
  const CborValue* toc = item->tagged(kTocTag);
  if (toc == nullptr) return malformed("expected a map, tagged 570");
  TRY_VOID(expect_map(*toc, kProfile + 1, "the table of contents"));
  SpdmToc out;
  if (const CborValue* profile = toc->member(kProfile); profile != nullptr) {
    TRY(uri, read_uri(*profile));
    out.profile = std::move(uri);
  }
  if (const CborValue* locators = toc->member(kLocators); locators != nullptr) {
    if (!locators->is(Kind::kArray) || locators->items.empty() || locators->items.size() > kMostLocators) {
      return malformed("expected 1 to 8 locators");
    }
    for (const CborValue& locator : locators->items) TRY_VOID(read_locator(locator, out));
  }
  const CborValue* list = toc->member(kEvidence);
  if (list == nullptr || !list->is(Kind::kArray) || list->items.empty() || list->items.size() > kMostEvidence) {
    return malformed("expected 1 to 8 pieces of evidence");
  }
  for (const CborValue& evidence : list->items) TRY_VOID(read_evidence(evidence, out));
  return out;
}

}  // namespace cloister::codec
