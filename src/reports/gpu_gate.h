// GpuGate: decides by the state of the GPUs whether this node may get prompts. It is open while every GPU is in
// confidential- computing mode, accepts work, and answers our nonce with evidence that our own verifier has no
// objection to. It is closed before the first such check, after the first check that fails, and when the last good
// check is too old. docs/decisions/0008-gpu-serving-gate.md. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "gpu/gpu_evidence_source.h"
#include "verify/collateral.h"
#include "verify/policy.h"
#include "verify/verdict.h"

namespace cloister::reports {

struct GpuGateOptions {
  // What the verifier requires of the GPUs. Revocation is not checked: a serving node fetches nothing.
  verify::Policy policy;
  // SHA-256 of the file that the policy was read from; none for the default.
  std::optional<ByteArray<32>> policy_digest = std::nullopt;
  // Manifests to compare measurements with, read anew for each check. Empty: measurements are not compared.
  std::function<Result<verify::Collateral>()> collateral = {};
  std::chrono::seconds every{300};
};

struct GpuGateState {
  bool open = false;
  std::string reason = "the GPUs have not been checked yet";  // why the gate is closed; "" when open
  UnixSeconds checked = 0;                                    // when the last check ended; 0: none yet
  UnixSeconds passed = 0;                                     // when the last good check ended
  std::uint64_t checks_passed = 0, checks_failed = 0;
  std::size_t gpus = 0;  // number in the last good check, including switches
  std::string driver_version;
  bool measurements_compared = false;
};
// The policy of a node about its own GPUs: they must exist and answer a nonce. Revocation and the opinion of NVIDIA's
// service are for the relying party to check.
verify::Policy gpu_gate_policy(verify::Policy policy);
// Why a verdict of that policy is not good enough; "" when it is. A failed check objects, and so does one that could
// not be run, except the comparison with manifests where none were given.
std::string gpu_gate_objection(const verify::Verdict& verdict, bool have_manifests);

// {"open","reason","checked_at","gpus","driver_version","measurements","revocation"}
Json to_json(const GpuGateState& state);

class GpuGate {
 public:
  GpuGate(gpu::GpuEvidenceSource& gpus, GpuGateOptions options, const Clock& clock);
  ~GpuGate();
  GpuGate(const GpuGate&) = delete;
  GpuGate& operator=(const GpuGate&) = delete;

  // Checks at once and then as often as the options say, more often while closed, on a thread of its own. Called once.
  void start();
  // Makes one check on the caller's thread. Blocks as long as the GPUs do.
  void check();

  GpuGateState state() const;
  const std::optional<ByteArray<32>>& policy_digest() const { return options_.policy_digest; }
  // The answer to a request that would give the GPUs a prompt; nothing while open. Cheap.
  std::optional<Error> refusal() const;

 private:
  enum class Finding { kGood, kBad, kInconclusive };
  struct Report {
    Finding finding = Finding::kBad;
    std::string reason;
    std::size_t gpus = 0;
    std::string driver_version;
    bool compared = false;
  };
  Report examine();
  void note(const Report& report);
  GpuGateState current() const;  // called with the lock held
  void run();

  gpu::GpuEvidenceSource& gpus_;
  const GpuGateOptions options_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  GpuGateState state_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace cloister::reports
