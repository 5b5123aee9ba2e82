#include "base/encoding.h"
#include "reports/forms/forms.h"

namespace cloister::reports {

std::string_view wire_tee_type(const tee::Tee& tee) { return tee.type() == "dstack" ? "tdx" : tee.type(); }

void add_custody(const identity::Keyring& keyring, Json& to) {
  if (keyring.custody().empty()) return;
  Json keys = Json::array();
  for (const evidence::KeyCustody& key : keyring.custody()) {
    keys.push_back({{"role", key.role},
                    {"path", key.path},
                    {"purpose", key.purpose},
                    {"algo", key.algo},
                    {"public_key", key.public_key},
                    {"kms_public_key", key.kms_public_key},
                    {"signature_chain", key.signature_chain}});
  }
  to["key_custody"] = {{"provider", "dstack-kms"}, {"keys", std::move(keys)}};
}

void add_boot_table(const TeeEvidence& evidence, Json& to) {
  if (evidence.info.ccel) to["ccel"] = to_base64(*evidence.info.ccel);
}

}  // namespace cloister::reports
