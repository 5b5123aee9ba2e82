#include "codec/tcb_info.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "codec/json.h"

namespace cloister::codec {
namespace {

constexpr JsonLimits kLimits{1u << 20, 12, 1u << 17};

struct StatusName {
  TcbStatus status;
  std::string_view text;
};
constexpr std::array<StatusName, 7> kStatusNames = {{
    {TcbStatus::kUpToDate, "UpToDate"},
    {TcbStatus::kSwHardeningNeeded, "SWHardeningNeeded"},
    {TcbStatus::kConfigurationNeeded, "ConfigurationNeeded"},
    {TcbStatus::kConfigurationAndSwHardeningNeeded, "ConfigurationAndSWHardeningNeeded"},
    {TcbStatus::kOutOfDate, "OutOfDate"},
    {TcbStatus::kOutOfDateConfigurationNeeded, "OutOfDateConfigurationNeeded"},
    {TcbStatus::kRevoked, "Revoked"},
}};

Error bad(const std::string& what) { return fail(ErrorCode::kBadJson, what); }

Result<std::uint32_t> number(const Json& object, const char* name, std::uint32_t most) {
  const auto found = object.find(name);
  if (found == object.end()) return bad(std::string("the member `") + name + "` is missing");
  if (!found->is_number_unsigned() || found->get<std::uint64_t>() > most) {
    return bad(std::string("expected `") + name + "` to be a whole number from 0 to " + std::to_string(most));
  }
  return found->get<std::uint32_t>();
}

template <std::size_t N>
Result<ByteArray<N>> hex(const Json& object, const char* name) {
  TRY(text, string_member(object, name));
  Result<ByteArray<N>> bytes = from_hex_exactly<N>(text);
  if (!bytes) return bad(std::string("`") + name + "`: " + bytes.error().message);
  return bytes;
}

Result<UnixSeconds> date(const Json& object, const char* name) {
  TRY(text, string_member(object, name));
  Result<UnixSeconds> time = from_rfc3339(text);
  if (!time) return bad(std::string("`") + name + "`: " + time.error().message);
  return time;
}

Result<TcbState> read_state(const Json& level) {
  TcbState state;
  TRY(name, string_member(level, "tcbStatus"));
  const auto known = std::find_if(kStatusNames.begin(), kStatusNames.end(),
                                  [&](const StatusName& candidate) { return candidate.text == name; });
  if (known == kStatusNames.end()) return bad("`tcbStatus` is none that is known");
  state.status = known->status;
  TRY(tcb_date, date(level, "tcbDate"));
  state.date = tcb_date;
  if (level.contains("advisoryIDs")) {
    TRY(advisories, array_member(level, "advisoryIDs"));
    for (const Json& advisory : *advisories) {
      if (!advisory.is_string()) return bad("expected `advisoryIDs` to hold strings");
      state.advisories.push_back(advisory.get<std::string>());
    }
  }
  return state;
}

// Reads exactly 16, so that no comparison ends early.
Result<ByteArray<16>> read_components(const Json& tcb, const char* name) {
  TRY(list, array_member(tcb, name));
  ByteArray<16> svns{};
  if (list->size() != svns.size()) {
    return bad(std::string("expected `") + name + "` to have 16 entries, got " + std::to_string(list->size()));
  }
  for (std::size_t i = 0; i < svns.size(); ++i) {
    const Json& component = (*list)[i];
    if (!component.is_object()) return bad(std::string("expected `") + name + "` to hold objects");
    TRY(svn, number(component, "svn", 255));
    svns[i] = static_cast<std::uint8_t>(svn);
  }
  return svns;
}

Result<PlatformLevel> read_platform_level(const Json& json, bool tdx) {
  PlatformLevel level;
  TRY(tcb, object_member(json, "tcb"));
  TRY(sgx_svns, read_components(*tcb, "sgxtcbcomponents"));
  level.sgx_svns = sgx_svns;
  TRY(pce_svn, number(*tcb, "pcesvn", 0xffff));
  level.pce_svn = static_cast<std::uint16_t>(pce_svn);
  if (tdx) {
    TRY(tdx_svns, read_components(*tcb, "tdxtcbcomponents"));
    level.tdx_svns = tdx_svns;
  }
  TRY(state, read_state(json));
  level.state = std::move(state);
  return level;
}

Result<IsvLevel> read_isv_level(const Json& json) {
  IsvLevel level;
  TRY(tcb, object_member(json, "tcb"));
  TRY(isv_svn, number(*tcb, "isvsvn", 0xffff));
  level.isv_svn = static_cast<std::uint16_t>(isv_svn);
  TRY(state, read_state(json));
  level.state = std::move(state);
  return level;
}

// Reads the member `tcbLevels`, with `read` for each entry.
template <typename Level, typename Read>
Result<std::vector<Level>> read_levels(const Json& object, const Read& read) {
  TRY(list, array_member(object, "tcbLevels"));
  if (list->empty()) return bad("expected `tcbLevels` to hold at least one level");
  std::vector<Level> levels;
  for (const Json& json : *list) {
    TRY(level, read(json));
    levels.push_back(std::move(level));
  }
  return levels;
}

Result<ModuleSigner> read_module_signer(const Json& json) {
  ModuleSigner signer;
  TRY(mr_signer, hex<48>(json, "mrsigner"));
  signer.mr_signer = mr_signer;
  TRY(attributes, hex<8>(json, "attributes"));
  signer.attributes = attributes;
  TRY(mask, hex<8>(json, "attributesMask"));
  signer.attributes_mask = mask;
  return signer;
}

// "TDX_01": the digits are hexadecimal, so major version 16 is "TDX_10".
Result<std::uint8_t> read_module_major(const Json& json) {
  TRY(id, string_member(json, "id"));
  constexpr std::string_view kPrefix = "tdx_";
  std::string lower = id;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const Result<ByteArray<1>> major =
      from_hex_exactly<1>(lower.starts_with(kPrefix) ? std::string_view(lower).substr(kPrefix.size()) : "");
  if (!major) return bad("expected the `id` of a TDX module to be TDX_ and two hexadecimal digits");
  return (*major)[0];
}

Result<ModuleIdentity> read_module_identity(const Json& json) {
  ModuleIdentity identity;
  TRY(major, read_module_major(json));
  identity.major = major;
  TRY(signer, read_module_signer(json));
  identity.signer = signer;
  TRY(levels, read_levels<IsvLevel>(json, read_isv_level));
  identity.levels = std::move(levels);
  return identity;
}

Result<void> read_modules(const Json& json, TcbInfo& info) {
  TRY(module, object_member(json, "tdxModule"));
  TRY(signer, read_module_signer(*module));
  info.module = signer;
  // Absent for platforms that only ever ran modules of major version 0.
  if (!json.contains("tdxModuleIdentities")) return {};
  TRY(identities, array_member(json, "tdxModuleIdentities"));
  for (const Json& entry : *identities) {
    TRY(identity, read_module_identity(entry));
    for (const ModuleIdentity& other : info.module_identities) {
      if (other.major == identity.major) return bad("`tdxModuleIdentities` names a module twice");
    }
    info.module_identities.push_back(std::move(identity));
  }
  return {};
}

// Reads id, version, both dates and the evaluation number, which both documents have.
template <typename Document>
Result<void> read_head(const Json& json, std::uint32_t version, Document& out) {
  TRY(id, string_member(json, "id"));
  out.id = std::move(id);
  TRY(actual, number(json, "version", 0xffff));
  if (actual != version) {
    return bad("expected `version` " + std::to_string(version) + ", got " + std::to_string(actual));
  }
  TRY(issue_date, date(json, "issueDate"));
  out.issue_date = issue_date;
  TRY(next_update, date(json, "nextUpdate"));
  out.next_update = next_update;
  TRY(evaluation, number(json, "tcbEvaluationDataNumber", 0xffffffff));
  out.evaluation_data_number = evaluation;
  return {};
}

// In the byte order of the enclave's report.
std::uint32_t little_endian(const ByteArray<4>& bytes) {
  return bytes[0] | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 | std::uint32_t{bytes[3]} << 24;
}

}  // namespace

std::string_view to_text(TcbStatus status) {
  for (const StatusName& name : kStatusNames) {
    if (name.status == status) return name.text;
  }
  return "unknown";
}

Result<TcbInfo> parse_tcb_info(std::string_view text) {
  TRY(json, parse_json(text, kLimits));
  TcbInfo info;
  TRY_VOID(read_head(json, 3, info));
  const bool tdx = info.id == "TDX";
  if (!tdx && info.id != "SGX") return bad("expected `id` to be TDX or SGX");
  TRY(fmspc, hex<6>(json, "fmspc"));
  info.fmspc = fmspc;
  TRY(pce_id, hex<2>(json, "pceId"));
  info.pce_id = pce_id;
  TRY(type, number(json, "tcbType", 0xffff));
  if (type != 0) return bad("expected `tcbType` 0, got " + std::to_string(type));
  if (tdx) TRY_VOID(read_modules(json, info));
  TRY(levels, read_levels<PlatformLevel>(json, [tdx](const Json& level) { return read_platform_level(level, tdx); }));
  info.levels = std::move(levels);
  return info;
}

Result<QeIdentity> parse_qe_identity(std::string_view text) {
  TRY(json, parse_json(text, kLimits));
  QeIdentity identity;
  TRY_VOID(read_head(json, 2, identity));
  if (identity.id != "TD_QE" && identity.id != "QE" && identity.id != "QVE") {
    return bad("expected `id` to be TD_QE, QE or QVE");
  }
  TRY(misc_select, hex<4>(json, "miscselect"));
  identity.misc_select = little_endian(misc_select);
  TRY(misc_select_mask, hex<4>(json, "miscselectMask"));
  identity.misc_select_mask = little_endian(misc_select_mask);
  TRY(attributes, hex<16>(json, "attributes"));
  identity.attributes = attributes;
  TRY(attributes_mask, hex<16>(json, "attributesMask"));
  identity.attributes_mask = attributes_mask;
  TRY(mr_signer, hex<32>(json, "mrsigner"));
  identity.mr_signer = mr_signer;
  TRY(isv_prod_id, number(json, "isvprodid", 0xffff));
  identity.isv_prod_id = static_cast<std::uint16_t>(isv_prod_id);
  TRY(levels, read_levels<IsvLevel>(json, read_isv_level));
  identity.levels = std::move(levels);
  return identity;
}

}  // namespace cloister::codec
