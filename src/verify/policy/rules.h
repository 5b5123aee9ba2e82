// The keys of a policy, and for each rule the checks that apply it. A verdict that lacks all checks of a rule which the
// policy names would silently leave that rule out; require_rules() makes such a verdict undetermined.
#pragma once

#include <span>
#include <string_view>

#include "verify/policy.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Which evidence a rule is about. A rule about SEV-SNP does not concern a TDX quote, and vice versa. Every other rule
// has to be applied.
enum class RuleScope { kAny, kTdx, kSnp };

struct PolicyRule {
  std::string_view name;  // "tdx.min_tcb_date", as in the policy's file
  // True when the policy demands by this key more than the default policy does. Null: the key can only allow more, or
  // every verdict that it concerns has a check of it by default.
  bool (*demands)(const Policy&);
  std::span<const std::string_view> checks = {};  // each check applies the rule; device numbers are `N`
  RuleScope scope = RuleScope::kAny;
};

// One entry for each key of a policy file, in its order: a test compares them.
std::span<const PolicyRule> policy_rules();

// In a form that is a list of instances and has no evidence of its own (Chutes), checks under `instance.N.` count where every instance
// has one. Call it once for each piece of evidence, when all of its checks are made and none has a prefix before its id yet. Where the
// policy names rules, it adds policy.applied: skipped and required when no check that passed, failed, or was skipped and required
// applies a rule. With a model manifest in the policy, it first adds model.document where nothing was compared with the manifest.
void require_rules(const Policy& policy, Verdict& verdict);

}  // namespace cloister::verify
