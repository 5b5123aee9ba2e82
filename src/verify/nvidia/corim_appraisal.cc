#include "verify/nvidia/corim_appraisal.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "verify/der.h"
#include "verify/nvidia/corim_match.h"

namespace cloister::verify {
namespace {

using codec::CborValue;
using codec::ComidTriple;

// NVIDIA's arc of CoRIM classes. A class is the root of a device when the last arc but one is 1.
constexpr std::array<std::uint64_t, 8> kNvidiaClasses = {1, 3, 6, 1, 4, 1, 5703, 1300};
constexpr std::uint64_t kRootArc = 1;
constexpr std::string_view kPurposeKey = "purpose";
// Modes of confidential computing: one GPU, several, and assigned by TDISP.
constexpr std::array<std::string_view, 3> kConfidential = {"CC SPT", "CC MPT", "TDISP"};

// The references of one manifest to one environment, which are alternatives.
struct Entry {
  const CborValue* environment;
  std::size_t source;
  std::vector<const ComidTriple*> alternatives;
  bool in_scope = false;
  bool passed = false;
};

// The purpose that a measurement of the root names; null when there is none.
const std::string* purpose_of(const ComidTriple& triple) {
  for (const codec::ComidMeasurement& measurement : triple.measurements) {
    const bool named =
        measurement.key && measurement.key->is(CborValue::Kind::kText) && measurement.key->text == kPurposeKey;
    if (named && measurement.values.name) return &*measurement.values.name;
  }
  return nullptr;
}

// True when some measurement that both name cannot have the values that both demand.
bool exclude_each_other(const ComidTriple& a, const ComidTriple& b) {
  return std::ranges::any_of(a.measurements, [&](const codec::ComidMeasurement& own) {
    const auto other = std::ranges::find(b.measurements, own.key, &codec::ComidMeasurement::key);
    return other != b.measurements.end() &&
           !(difference(own.values, other->values).empty() && difference(other->values, own.values).empty());
  });
}

class Appraiser {
 public:
  Appraiser(const DeviceClaims& claims, const std::vector<CorimSource>& sources) : claims_(claims), sources_(sources) {
    out_.sides.resize(sources.size());
    for (const auto* triples : {&claims.measured, &claims.certified}) {
      for (const ComidTriple& triple : *triples) actual_.push_back(&triple);
    }
    collect_entries();
  }

  CorimAppraisal run() {
    check_locators();
    if (choose_scope()) {
      for (Entry& entry : entries_) {
        if (entry.in_scope) compare(entry);
      }
      check_certificates();
    }
    return std::move(out_);
  }

 private:
  void collect_entries() {
    for (std::size_t source = 0; source < sources_.size(); ++source) {
      if (sources_[source].manifest == nullptr) continue;
      for (const ComidTriple& reference : sources_[source].manifest->references) add_entry(reference, source);
    }
  }

  void add_entry(const ComidTriple& reference, std::size_t source) {
    Entry* own = nullptr;
    for (Entry& entry : entries_) {
      if (!same_environment(*entry.environment, reference.environment)) continue;
      if (entry.source == source) {
        own = &entry;
      } else if (std::string text = environment_text(reference.environment);
                 std::ranges::find(out_.in_both, text) == out_.in_both.end()) {
        out_.in_both.push_back(std::move(text));
      }
    }
    if (own != nullptr) {
      own->alternatives.push_back(&reference);
    } else {
      entries_.push_back({&reference.environment, source, {&reference}});
    }
  }

  bool all_at_hand() const {
    return std::ranges::all_of(sources_, [](const CorimSource& source) { return source.manifest != nullptr; });
  }

  // Records a fault that no single manifest answers for. A manifest that is missing might have the value.
  void fault(const std::string& environment, const std::string& why) {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      if (sources_[i].manifest == nullptr) continue;
      lacks(i, environment, why);
    }
  }
  void lacks(std::size_t source, const std::string& environment, const std::string& why) {
    if (all_at_hand()) {
      out_.sides[source].mismatches.push_back({environment, why});
    } else {
      out_.sides[source].unsupported = environment + ": " + why + ", and the device's other manifest is not at hand";
    }
  }
  void unsupported(const std::string& why) {
    for (CorimSide& side : out_.sides) side.unsupported = why;
  }

  void check_locators() {
    for (const std::string& name : claims_.manifests) {
      if (std::ranges::find(sources_, name, &CorimSource::id) != sources_.end()) continue;
      unsupported("the device asks to be compared with the manifest " + name + " as well, which was not looked up");
    }
  }

  // Returns false when nothing can be compared.
  bool choose_scope() {
    std::vector<const ComidTriple*> roots;
    for (const ComidTriple* triple : actual_) {
      if (is_root_environment(triple->environment)) roots.push_back(triple);
    }
    const bool modes =
        std::ranges::any_of(entries_, [](const Entry& e) { return is_root_environment(*e.environment); });
    if (roots.empty() && !modes) {
      for (Entry& entry : entries_) entry.in_scope = true;
      return true;
    }
    if (roots.size() != 1) {
      fault("the device",
            roots.empty() ? "it does not say which mode it is in" : "it says that it is in several modes");
      return false;
    }
    return enter_mode(*roots.front());
  }

  bool enter_mode(const ComidTriple& root) {
    const std::string text = environment_text(root.environment);
    const std::string* purpose = purpose_of(root);
    bool known = false;
    for (Entry& entry : entries_) {
      if (!is_root_environment(*entry.environment) || !matches_environment(*entry.environment, root.environment))
        continue;
      known = true;
      for (const ComidTriple* reference : entry.alternatives) {
        if (purpose_of(*reference) == nullptr) {
          out_.sides[entry.source].mismatches.push_back({text, "its reference names no purpose"});
        }
      }
      enter(entry);
    }
    if (!known || purpose == nullptr) {
      fault(text, purpose == nullptr ? "it names no purpose" : "no manifest knows this mode of the device");
      return false;
    }
    out_.purpose = *purpose;
    if (std::ranges::find(kConfidential, *purpose) == kConfidential.end()) {
      unsupported("the purpose " + *purpose + " is not known to be one of confidential computing");
    }
    return true;
  }

  // Takes the environment into the scope, and everything that it depends on.
  void enter(Entry& first) {
    std::vector<const CborValue*> waiting = {first.environment};
    first.in_scope = true;
    while (!waiting.empty()) {
      const CborValue* environment = waiting.back();
      waiting.pop_back();
      for (std::size_t source = 0; source < sources_.size(); ++source) {
        if (sources_[source].manifest == nullptr) continue;
        for (const codec::CorimDependency& dependency : sources_[source].manifest->dependencies) {
          if (!same_environment(dependency.environment, *environment)) continue;
          for (const CborValue& trustee : dependency.trustees) enter_trustee(trustee, source, waiting);
        }
      }
    }
  }

  void enter_trustee(const CborValue& trustee, std::size_t source, std::vector<const CborValue*>& waiting) {
    bool backed = false;
    for (Entry& entry : entries_) {
      if (!same_environment(*entry.environment, trustee)) continue;
      backed = true;
      if (entry.in_scope) continue;
      entry.in_scope = true;
      waiting.push_back(entry.environment);
    }
    if (!backed) lacks(source, environment_text(trustee), "no manifest holds values of it");
  }

  void compare(Entry& entry) {
    CorimSide& side = out_.sides[entry.source];
    ++side.compared;
    for (std::size_t i = 0; i < entry.alternatives.size(); ++i) {
      for (std::size_t j = i + 1; j < entry.alternatives.size(); ++j) {
        if (exclude_each_other(*entry.alternatives[i], *entry.alternatives[j])) continue;
        side.unsupported =
            environment_text(*entry.environment) + ": references that do not exclude each other are not supported";
      }
    }
    std::vector<const ComidTriple*> found;
    for (const ComidTriple* triple : actual_) {
      if (matches_environment(*entry.environment, triple->environment)) found.push_back(triple);
    }
    std::string why = found.empty() ? "the device says nothing of it" : "";
    for (const ComidTriple* reference : entry.alternatives) {
      if (found.empty()) break;
      std::string differs;
      for (const ComidTriple* triple : found) {
        if (differs.empty()) differs = difference(*reference, *triple);
      }
      entry.passed = entry.passed || differs.empty();
      if (why.empty()) why = differs;
    }
    if (entry.passed) return;
    if (entry.alternatives.size() > 1 && !found.empty()) {
      why += " (and " + std::to_string(entry.alternatives.size() - 1) + " more references do not fit either)";
    }
    side.mismatches.push_back({environment_text(*entry.environment), std::move(why)});
  }

  // The firmware that signed the report wrote the table of contents, so a manifest must vouch for that firmware.
  void check_certificates() {
    for (const ComidTriple& triple : claims_.certified) {
      const bool vouched = std::ranges::any_of(entries_, [&](const Entry& entry) {
        return entry.in_scope && matches_environment(*entry.environment, triple.environment);
      });
      // A fault of an environment in scope has already been recorded.
      if (!vouched)
        fault(environment_text(triple.environment), "no manifest vouches for the firmware of this certificate");
    }
    if (claims_.certified.empty()) fault("the device", "its certificates do not say which firmware signs");
  }

  const DeviceClaims& claims_;
  const std::vector<CorimSource>& sources_;
  std::vector<const ComidTriple*> actual_;
  std::vector<Entry> entries_;
  CorimAppraisal out_;
};

}  // namespace

bool is_root_environment(const CborValue& environment) {
  const CborValue* of_class = environment.member(codec::kEnvironmentClass);
  const CborValue* id = of_class == nullptr ? nullptr : of_class->member(codec::kClassId);
  const CborValue* oid = id == nullptr ? nullptr : id->tagged(codec::kOidTag);
  if (oid == nullptr) return false;
  const std::vector<std::uint64_t> arcs = oid_arcs(oid->bytes);
  return arcs.size() > kNvidiaClasses.size() + 1 &&
         std::equal(kNvidiaClasses.begin(), kNvidiaClasses.end(), arcs.begin()) && arcs[arcs.size() - 2] == kRootArc;
}

CorimAppraisal appraise_corims(const DeviceClaims& claims, const std::vector<CorimSource>& sources) {
  return Appraiser(claims, sources).run();
}

}  // namespace cloister::verify
