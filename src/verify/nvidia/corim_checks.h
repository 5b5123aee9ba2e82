// The checks of manifests in the CoRIM format: what they apply to, and the device's values compared with them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "verify/nvidia/corim_appraisal.h"
#include "verify/nvidia/rim_library.h"
#include "verify/verdict.h"

namespace cloister::verify {

// A manifest of one device, and the prefix of its checks.
struct CorimSubject {
  std::string source;              // "driver", "vbios"
  std::string id;                  // the name by which the manifest was looked up
  const JudgedRim* rim = nullptr;  // null when there is none
};

// For one device, whose references and objects must outlive it. All of the device's manifests are passed, in any format.
class CorimJudge {
 public:
  CorimJudge(const codec::SpdmReport& report, const std::vector<crypto::Certificate>& chain,
             std::vector<CorimSubject> subjects);

  // True when the manifest of this source is a CoRIM that could be read.
  bool has(const std::string& source) const;
  // Adds <own>arch, version, measurements and svn of an existing manifest; `own` is "nvidia.gpu.0.rim.driver.".
  // `mismatches` gets {"environment","source"} for each mismatch.
  void add_checks(const std::string& source, const std::string& own, const std::string& family, Json& mismatches,
                  Verdict& verdict) const;
  // Absent when no manifest is a CoRIM.
  std::optional<Check> conflict(const std::string& id) const;
  // The mode that the device is in; empty when it is unknown.
  const std::string& purpose() const { return appraisal_.purpose; }

 private:
  const CorimSubject* subject(const std::string& source) const;

  std::vector<CorimSubject> subjects_;
  std::optional<Error> unreadable_;  // the device's claims
  CorimAppraisal appraisal_;         // its sides have the order of the subjects
};

}  // namespace cloister::verify
