// Documents of Tinfoil, Chutes and virtual TPMs. Every text is parsed or refused.
#include "codec/json.h"
#include "evidence/services/azure_vtpm.h"
#include "evidence/services/chutes.h"
#include "evidence/services/tinfoil.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const std::string_view text = as_text(input);
  (void)evidence::parse_chutes_instances(text);
  const auto object = codec::parse_json(text);
  if (!object) return;
  if (const auto document = evidence::parse_tinfoil_document(text, *object)) {
    FUZZ_CHECK(document->version == 2 || document->version == 3);
    FUZZ_CHECK(document->signed_text.size() <= text.size() + 2);
    FUZZ_CHECK(document->evidence.size() <= input.size() + 64 * 1024);
  }
  if (const auto azure = evidence::parse_azure_evidence(*object)) {
    FUZZ_CHECK(azure->pcrs.size() <= 24 && !azure->attestation_key.empty());
    (void)evidence::parse_tpm_quote(azure->message);
  }
  if (const auto report = evidence::parse_chutes_report(*object))
    FUZZ_CHECK(!report->instances.empty() && report->instances.size() <= 64);
}
