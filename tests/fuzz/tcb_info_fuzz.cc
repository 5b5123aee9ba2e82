// TCB info and QE identity. Whatever parses keeps the promises of its header. Every search through it ends in one of
// its levels or in none.
#include "codec/tcb_info.h"

#include "codec/signed_json.h"
#include "fuzz.h"
#include "verify/tdx/tcb_levels.h"

namespace {

using namespace cloister;

void visit(codec::TcbInfo info) {
  FUZZ_CHECK(info.id == "TDX" || info.id == "SGX");
  FUZZ_CHECK(!info.levels.empty() && (info.id == "SGX" || info.module));
  verify::sort_levels(info);
  verify::PckExtension highest;
  highest.component_svns.fill(255);
  highest.pce_svn = 0xffff;
  verify::TcbSvn svn;
  svn.fill(255);
  FUZZ_CHECK(verify::find_platform_level(info, highest, svn) == &info.levels.front().state);
  for (const codec::ModuleIdentity& identity : info.module_identities) {
    FUZZ_CHECK(!identity.levels.empty());
    FUZZ_CHECK(identity.major == 0 || verify::find_module(info, identity.major) == &identity);
    FUZZ_CHECK(verify::find_isv_level(identity.levels, 0xffff) == &identity.levels.front().state);
  }
  for (const codec::PlatformLevel& level : info.levels) {
    const verify::TcbEvaluation made = verify::evaluate(level.state, level.state, &level.state);
    FUZZ_CHECK(made.date == level.state.date && made.advisories.size() <= level.state.advisories.size());
    FUZZ_CHECK(to_text(made.converged) != "unknown");
  }
}

}  // namespace

FUZZ_TARGET(input) {
  const std::string_view text = as_text(input);
  if (auto info = codec::parse_tcb_info(text)) visit(*std::move(info));
  if (auto identity = codec::parse_qe_identity(text)) {
    FUZZ_CHECK(!identity->levels.empty());
    verify::sort_levels(*identity);
    FUZZ_CHECK(verify::find_isv_level(identity->levels, 0xffff) == &identity->levels.front().state);
  }
  for (const char* member : {"tcbInfo", "enclaveIdentity"}) {
    const auto split = codec::split_signed_json(text, member);
    if (!split) continue;
    FUZZ_CHECK(text.find(split->text) != std::string_view::npos);
    FUZZ_CHECK(split->text.starts_with('{') && split->text.ends_with('}'));
    (void)codec::parse_tcb_info(split->text);
  }
}
