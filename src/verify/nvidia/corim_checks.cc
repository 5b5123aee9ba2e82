#include "verify/nvidia/corim_checks.h"

#include <algorithm>
#include <array>
#include <set>

#include "verify/check.h"

namespace cloister::verify {
namespace {

using codec::CborValue;

constexpr std::size_t kMostListed = 5;

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

bool is_word(char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// "GR100_620.54" from "NV_GPU_DRIVER_GR100_620.54": the chip and everything after it.
std::string_view version_part(std::string_view id) {
  for (const std::string_view prefix : {"NV_GPU_CC_DRIVER_", "NV_GPU_DRIVER_", "NV_GPU_VBIOS_", "NV_SWITCH_BIOS_"}) {
    if (id.starts_with(prefix)) return id.substr(prefix.size());
  }
  return id;
}

// The manifest's own, signed id says which version it is for. Nothing else in it does.
Check check_version(const std::string& id, const CorimSubject& subject) {
  const std::string wanted = upper(version_part(subject.id));
  const std::string own = upper(subject.rim->corim->id);
  const auto begins_word = [&](std::size_t at) { return at == 0 || !is_word(own[at - 1]); };
  if (own.ends_with(wanted) && begins_word(own.size() - wanted.size())) return passed(id, subject.rim->corim->id);
  const std::string chip = wanted.substr(0, wanted.find('_') + 1);
  for (std::size_t at = own.find(chip); !chip.empty() && at != std::string::npos; at = own.find(chip, at + 1)) {
    if (begins_word(at)) {
      return failed(id, "the manifest is of another version", std::string(version_part(subject.id)),
                    subject.rim->corim->id);
    }
  }
  return skipped(id, "the manifest's id does not say which version it is for: " + subject.rim->corim->id);
}

// The first words of NVIDIA's models in the classes: "GR100".
std::set<std::string> chips_of(const codec::Corim& corim) {
  std::set<std::string> out;
  for (const codec::ComidTriple& reference : corim.references) {
    const CborValue* of_class = reference.environment.member(codec::kEnvironmentClass);
    const CborValue* vendor = of_class->member(codec::kClassVendor);
    const CborValue* model = of_class->member(codec::kClassModel);
    if (vendor == nullptr || model == nullptr || vendor->text != "NVIDIA") continue;
    out.insert(model->text.substr(0, model->text.find(' ')));
  }
  return out;
}

Check check_arch(const std::string& id, const codec::Corim& corim, const std::string& family) {
  const std::set<std::string> chips = chips_of(corim);
  if (chips.empty()) return skipped(id, "no class of the manifest names a model of NVIDIA's");
  for (const std::string& chip : chips) {
    if (family.empty() || !chip.starts_with(family)) {
      return failed(id, "the manifest is for another architecture", family, chip);
    }
  }
  return passed(id, *chips.begin());
}

std::string describe(const std::vector<CorimMismatch>& mismatches) {
  std::string out;
  for (std::size_t i = 0; i < mismatches.size() && i < kMostListed; ++i) {
    out += (i == 0 ? "" : "; ") + mismatches[i].environment + ": " + mismatches[i].why;
  }
  if (mismatches.size() > kMostListed) out += "; and " + std::to_string(mismatches.size() - kMostListed) + " more";
  return out;
}

Check check_side(const std::string& id, const CorimSide& side, const std::string& purpose) {
  if (!side.mismatches.empty()) return failed(id, describe(side.mismatches));
  if (!side.unsupported.empty()) return skipped(id, side.unsupported);
  if (side.compared == 0) return failed(id, "nothing in the manifest is about this device");
  return passed(id, std::to_string(side.compared) + (side.compared == 1 ? " environment" : " environments"),
                purpose.empty() ? "" : "in the mode " + purpose);
}

}  // namespace

CorimJudge::CorimJudge(const codec::SpdmReport& report, const std::vector<crypto::Certificate>& chain,
                       std::vector<CorimSubject> subjects)
    : subjects_(std::move(subjects)) {
  std::vector<CorimSource> sources;
  for (const CorimSubject& subject : subjects_) {
    const bool read = subject.rim != nullptr && subject.rim->corim;
    sources.push_back({subject.id, read ? &*subject.rim->corim : nullptr});
  }
  if (std::ranges::none_of(sources, [](const CorimSource& source) { return source.manifest != nullptr; })) return;
  const Result<DeviceClaims> claims = device_claims(report, chain);
  if (!claims) {
    unreadable_ = claims.error();
  } else {
    appraisal_ = appraise_corims(*claims, sources);
  }
}

const CorimSubject* CorimJudge::subject(const std::string& source) const {
  const auto found = std::ranges::find(subjects_, source, &CorimSubject::source);
  return found == subjects_.end() || found->rim == nullptr || !found->rim->corim ? nullptr : &*found;
}

bool CorimJudge::has(const std::string& source) const { return subject(source) != nullptr; }

void CorimJudge::add_checks(const std::string& source, const std::string& own, const std::string& family,
                            Json& mismatches, Verdict& verdict) const {
  const CorimSubject& manifest = *subject(source);
  verdict.add(check_arch(own + "arch", *manifest.rim->corim, family));
  verdict.add(check_version(own + "version", manifest));
  verdict.add(not_applicable(own + "svn", "a CoRIM holds its floors among its measurements"));
  if (unreadable_) {
    verdict.add(unreadable_->code == ErrorCode::kUnsupported ? skipped(own + "measurements", unreadable_->message)
                                                             : failed(own + "measurements", unreadable_->message));
    return;
  }
  const CorimSide& side = appraisal_.sides[static_cast<std::size_t>(&manifest - subjects_.data())];
  verdict.add(check_side(own + "measurements", side, appraisal_.purpose));
  for (const CorimMismatch& mismatch : side.mismatches) {
    mismatches.push_back({{"environment", mismatch.environment}, {"source", source}});
  }
}

std::optional<Check> CorimJudge::conflict(const std::string& id) const {
  const auto read = std::ranges::count_if(subjects_, [&](const CorimSubject& s) { return has(s.source); });
  if (read == 0) return std::nullopt;
  if (static_cast<std::size_t>(read) != subjects_.size()) {
    return skipped(id, "the two manifests are not both CoRIMs that could be read");
  }
  if (unreadable_) return skipped(id, "what the device says of itself could not be read");
  if (appraisal_.in_both.empty()) return passed(id);
  return failed(
      id,
      "both manifests hold references of " + appraisal_.in_both.front() +
          (appraisal_.in_both.size() == 1 ? "" : " and " + std::to_string(appraisal_.in_both.size() - 1) + " more"));
}

}  // namespace cloister::verify
