#include "verify/tdx/facts.h"

#include "base/encoding.h"
#include "crypto/hash.h"
#include "verify/tdx/td_checks.h"

namespace cloister::verify {

void add_td_facts(const codec::TdxQuote& quote, Json& facts) {
  const codec::TdReport& report = quote.report;
  facts["quote_version"] = quote.version;
  facts["report_data"] = to_hex(report.report_data);
  facts["mr_td"] = to_hex(report.mr_td);
  for (int i = 0; i < 4; ++i) facts["rtmr" + std::to_string(i)] = to_hex(report.rtmr[i]);
  facts["mr_config_id"] = to_hex(report.mr_config_id);
  facts["mr_owner"] = to_hex(report.mr_owner);
  facts["mr_owner_config"] = to_hex(report.mr_owner_config);
  if (report.mr_service_td) facts["mr_service_td"] = to_hex(*report.mr_service_td);
  if (report.extension) facts["td_id"] = to_hex(report.extension->td_id);
  facts["td_attributes"] = to_hex(report.td_attributes);
  facts["td_attribute_names"] = td_attribute_names(report.td_attributes);
  facts["xfam"] = to_hex(report.xfam);
  facts["tee_tcb_svn"] = to_hex(report.tee_tcb_svn);
  if (report.tee_tcb_svn2) facts["tee_tcb_svn2"] = to_hex(*report.tee_tcb_svn2);
  facts["mr_seam"] = to_hex(report.mr_seam);
  facts["mr_signer_seam"] = to_hex(report.mr_signer_seam);
  facts["seam_attributes"] = to_hex(report.seam_attributes);
}

void add_platform_facts(const PckExtension& pck, Json& facts) {
  facts["fmspc"] = to_hex(pck.fmspc);
  facts["pce_id"] = to_hex(pck.pce_id);
  facts["pce_svn"] = pck.pce_svn;
  facts["cpu_svn"] = to_hex(pck.cpu_svn);
  if (pck.sgx_type) facts["sgx_type"] = *pck.sgx_type;
  facts["ppid_sha256"] = to_hex(crypto::sha256(pck.ppid));
  if (pck.platform_instance_id) facts["platform_instance_id"] = to_hex(*pck.platform_instance_id);
  if (!pck.configuration) return;
  if (pck.configuration->dynamic_platform) facts["dynamic_platform"] = *pck.configuration->dynamic_platform;
  if (pck.configuration->cached_keys) facts["cached_keys"] = *pck.configuration->cached_keys;
  if (pck.configuration->smt_enabled) facts["smt_enabled"] = *pck.configuration->smt_enabled;
}

}  // namespace cloister::verify
