#include "verify/nvidia/rim_checks.h"

#include <algorithm>
#include <array>

#include "verify/check.h"
#include "verify/nvidia/corim_checks.h"
#include "verify/nvidia/device_identity.h"
#include "verify/nvidia/measurements.h"
#include "verify/nvidia/rim_ids.h"

namespace cloister::verify {
namespace {

using crypto::Certificate;

constexpr std::array<std::string_view, 8> kSourceChecks = {"available", "form",    "signature",    "chain",
                                                           "arch",      "version", "measurements", "svn"};

bool same_version(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return lower(x) == lower(y);
  });
}

// How the products of an architecture begin: GH100 for Hopper, GB... for Blackwell, GR... for Rubin, LS10.
std::string family_of(const std::string& arch) {
  return arch == "HOPPER" ? "GH" : arch == "BLACKWELL" ? "GB" : arch == "RUBIN" ? "GR" : arch;
}

Check check_arch(const std::string& id, const codec::Rim& rim, const std::string& arch) {
  const std::string family = family_of(arch);
  if (!family.empty() && rim.product.starts_with(family)) return passed(id, rim.product);
  return failed(id, "the manifest is for another architecture", arch, rim.product);
}

// One source: the driver's manifest or the firmware's.
struct Source {
  std::string name;     // "driver", "vbios"
  std::string id;       // id of the manifest; empty when it cannot be determined
  std::string version;  // version according to the report
};

// Compares the device's values with a manifest in XML.
void check_content(const std::string& own, const Source& source, const codec::Rim& rim, const std::string& arch,
                   const codec::SpdmReport& report, Json& mismatches, Verdict& verdict) {
  verdict.add(check_arch(own + "arch", rim, arch));
  const bool same = same_version(rim.colloquial_version, source.version);
  verdict.add(
      same ? passed(own + "version", source.version)
           : failed(own + "version", "the manifest is of another version", source.version, rim.colloquial_version));
  const RimComparison result = compare_measurements(rim, report);
  if (result.active == 0) {
    verdict.add(failed(own + "measurements", "the manifest has no active entry"));
  } else if (result.mismatching.empty()) {
    verdict.add(passed(own + "measurements", std::to_string(result.active) + " measurements"));
  } else {
    verdict.add(failed(own + "measurements", std::to_string(result.mismatching.size()) + " of " +
                                                 std::to_string(result.active) + " measurements differ at the " +
                                                 source.name + " manifest's indices " +
                                                 describe_mismatch(result.mismatching)));
  }
  if (rim.svn_floors.empty()) {
    verdict.add(not_applicable(own + "svn", "the manifest sets no floor"));
  } else if (const std::string below = below_floor(rim, report); !below.empty()) {
    verdict.add(failed(own + "svn", "a security version number is below the manifest's floor: " + below));
  } else {
    verdict.add(passed(own + "svn",
                       std::to_string(rim.svn_floors.size()) + (rim.svn_floors.size() == 1 ? " floor" : " floors")));
  }
  for (const std::uint32_t index : result.mismatching) {
    mismatches.push_back({{"index", index}, {"source", source.name}});
  }
}

void check_source(const std::string& prefix, const Source& source, const JudgedRim* judged, const std::string& arch,
                  const codec::SpdmReport& report, const CorimJudge& corims, Json& mismatches, Verdict& verdict) {
  const std::string own = prefix + "rim." + source.name + ".";
  if (judged == nullptr) {
    verdict.add(skipped(own + "available", "the collateral holds no manifest " + source.id));
    for (const std::string_view check : kSourceChecks) {
      if (check != "available") verdict.add(skipped(own + std::string(check), "there is no manifest to compare with"));
    }
    return;
  }
  verdict.add(passed(own + "available", source.id));
  for (Check check : judged->checks) {
    check.id = own + check.id;
    verdict.add(std::move(check));
  }
  if (corims.has(source.name)) {
    corims.add_checks(source.name, own, family_of(arch), mismatches, verdict);
  } else if (judged->content) {
    check_content(own, source, *judged->content, arch, report, mismatches, verdict);
  } else {
    for (const char* check : {"arch", "version", "measurements", "svn"}) {
      verdict.add(skipped(own + check, "the manifest could not be read"));
    }
  }
}

Check check_conflict(const std::string& id, const JudgedRim* driver, const JudgedRim* vbios) {
  if (driver == nullptr || vbios == nullptr || !driver->content || !vbios->content) {
    return skipped(id, "one of the two manifests is missing or could not be read");
  }
  const std::set<std::uint32_t> both = conflicting_indices(*driver->content, *vbios->content);
  if (both.empty()) return passed(id);
  std::string list;
  for (const std::uint32_t index : both) list += (list.empty() ? "" : ", ") + std::to_string(index);
  return failed(id, "both manifests have active entries at the indices " + list);
}

}  // namespace

void add_rim_checks(const std::string& prefix, Check (*make)(std::string id, const std::string& why),
                    const std::string& why, Verdict& verdict) {
  for (const char* source : {"rim.driver.", "rim.vbios."}) {
    for (const std::string_view check : kSourceChecks) verdict.add(make(prefix + source + std::string(check), why));
  }
  verdict.add(make(prefix + "rim.conflict", why));
}

RimFindings check_rims(const std::string& prefix, const codec::SpdmReport& report,
                       const std::vector<Certificate>& chain, RimLibrary& library, Verdict& verdict) {
  RimFindings out;
  const Result<RimIds> ids = rim_ids(report, chain);
  if (!ids) {
    for (const char* source : {"driver", "vbios"}) {
      const std::string own = prefix + "rim." + source + ".";
      for (const std::string_view check : kSourceChecks) {
        const std::string id = own + std::string(check);
        verdict.add(check == "available" ? failed(id, ids.error().message)
                                         : skipped(id, "which manifest to compare with is not known"));
      }
    }
    verdict.add(skipped(prefix + "rim.conflict", "which manifests to compare with is not known"));
    return out;
  }
  const std::string arch = device_arch(chain[1]);
  Json mismatches = Json::array();
  std::vector<CorimSubject> subjects;
  if (!is_switch(arch)) {
    out.driver = library.find(ids->driver);
    subjects.push_back({"driver", ids->driver, out.driver});
  }
  out.vbios = library.find(ids->vbios);
  subjects.push_back({"vbios", ids->vbios, out.vbios});
  const CorimJudge corims(report, chain, std::move(subjects));
  if (is_switch(arch)) {
    out.switch_without_driver = true;
    for (const std::string_view check : kSourceChecks) {
      verdict.add(not_applicable(prefix + "rim.driver." + std::string(check), "a switch has no driver of its own"));
    }
  } else {
    check_source(prefix, {"driver", ids->driver, driver_version(report)}, out.driver, arch, report, corims, mismatches,
                 verdict);
    out.facts["driver_rim"] = ids->driver;
  }
  check_source(prefix, {"vbios", ids->vbios, vbios_version(report)}, out.vbios, arch, report, corims, mismatches,
               verdict);
  out.facts["vbios_rim"] = ids->vbios;
  if (!corims.purpose().empty()) out.facts["purpose"] = corims.purpose();
  const std::string conflict_id = prefix + "rim.conflict";
  const std::optional<Check> conflict = corims.conflict(conflict_id);
  verdict.add(out.switch_without_driver ? not_applicable(conflict_id, "a switch has one manifest only")
              : conflict                ? *conflict
                                        : check_conflict(conflict_id, out.driver, out.vbios));
  out.facts["mismatches"] = std::move(mismatches);
  return out;
}

}  // namespace cloister::verify
