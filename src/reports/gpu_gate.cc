#include "reports/gpu_gate.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "evidence/gpu_evidence.h"
#include "verify/gpu.h"

namespace cloister::reports {
namespace {

// The interval while the gate is closed, so that a node is back soon after its GPUs are.
constexpr std::chrono::seconds kEveryWhileClosed{10};

// A check that hangs must not keep the gate open: the limit is two intervals and a minute for the check itself.
std::int64_t age_limit_s(const GpuGateOptions& options) { return 2 * options.every.count() + 60; }

std::chrono::seconds pause_after(bool open, const GpuGateOptions& options) {
  return open ? options.every : std::min(options.every, kEveryWhileClosed);
}

}  // namespace

verify::Policy gpu_gate_policy(verify::Policy policy) {
  policy.nvidia.require_revocation = false;
  policy.nvidia.require_nras = false;
  policy.nvidia.required = verify::GpuRequirement::kAlways;
  policy.require_nonce = true;
  return policy;
}

std::string gpu_gate_objection(const verify::Verdict& verdict, bool have_manifests) {
  bool any_passed = false;
  for (const verify::Check& check : verdict.checks) {
    // The manifests' own signers, whose revocation is not checked, belong to the manifests.
    const bool by_manifest = check.id.find(".rim.") != std::string::npos || check.id.ends_with("_rim");
    if (check.state == verify::State::kFail) return check.id + " failed: " + check.detail;
    if (check.state == verify::State::kSkipped && check.required && (have_manifests || !by_manifest)) {
      return check.id + " could not be checked: " + check.detail;
    }
    any_passed = any_passed || check.state == verify::State::kPass;
  }
  return any_passed ? "" : "nothing about the GPUs could be checked";
}

Json to_json(const GpuGateState& state) {
  Json out = {{"open", state.open}, {"reason", state.open ? Json(nullptr) : Json(state.reason)}};
  out["checked_at"] = state.checked != 0 ? Json(to_rfc3339(state.checked)) : Json(nullptr);
  out["gpus"] = state.gpus;
  out["driver_version"] = state.driver_version;
  out["measurements"] = state.measurements_compared ? "compared" : "unchecked";
  out["revocation"] = "unchecked";
  return out;
}

GpuGate::GpuGate(gpu::GpuEvidenceSource& gpus, GpuGateOptions options, const Clock& clock)
    : gpus_(gpus),
      options_{gpu_gate_policy(std::move(options.policy)), options.policy_digest, std::move(options.collateral),
               options.every},
      clock_(clock) {}

GpuGate::~GpuGate() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void GpuGate::start() {
  thread_ = std::thread([this] { run(); });
}

void GpuGate::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    check();
    lock.lock();
    wake_.wait_for(lock, pause_after(current().open, options_), [this] { return stopping_; });
  }
}

void GpuGate::check() { note(examine()); }

GpuGate::Report GpuGate::examine() {
  // A queue that others have filled says nothing about the GPUs: the age limit decides.
  const auto bad = [](const Error& error) {
    return Report{error.code == ErrorCode::kBusy ? Finding::kInconclusive : Finding::kBad, error.message, 0, {}, false};
  };
  const Result<gpu::GpuStatus> status = gpus_.status();
  if (!status) return bad(status.error());
  if (std::string words = gpu::objection_to(*status); !words.empty())
    return {Finding::kBad, std::move(words), 0, {}, false};

  ByteArray<32> nonce;
  crypto::fill_random(nonce);
  Result<std::vector<evidence::GpuEvidence>> devices = gpus_.collect(nonce);
  if (!devices) return bad(devices.error());
  if (devices->size() < status->devices.size()) return {Finding::kBad, "not every GPU gave evidence", 0, {}, false};

  verify::Collateral collateral;
  if (options_.collateral) {
    Result<verify::Collateral> given = options_.collateral();
    if (!given) return bad(given.error());
    collateral = std::move(*given);
  }
  const std::size_t count = devices->size();
  const std::string payload =
      evidence::write_nvidia_payload({to_hex(nonce), devices->front().arch, std::move(*devices)});
  const verify::Verdict verdict = verify::verify_gpu(payload, nonce, {options_.policy, collateral, clock_.now()});
  const bool compared = options_.collateral != nullptr;
  if (std::string words = gpu_gate_objection(verdict, compared); !words.empty())
    return {Finding::kBad, std::move(words), 0, {}, false};
  return {Finding::kGood, "", count, status->driver_version, compared};
}

void GpuGate::note(const Report& report) {
  std::lock_guard lock(mutex_);
  const GpuGateState before = current();
  const UnixSeconds now = clock_.now();
  if (report.finding == Finding::kInconclusive) {
    log::warn("gpu gate: no check was possible: " + report.reason);
    return;
  }
  state_.checked = now;
  state_.open = report.finding == Finding::kGood;
  state_.reason = report.reason;
  if (!state_.open) {
    ++state_.checks_failed;
    if (before.open || before.reason != report.reason)
      log::error("gpu gate closed, prompts are refused: " + report.reason);
    return;
  }
  ++state_.checks_passed;
  state_.passed = now;
  state_.gpus = report.gpus;
  state_.driver_version = report.driver_version;
  state_.measurements_compared = report.compared;
  if (before.open) return;
  log::info("gpu gate open gpus=" + std::to_string(report.gpus) + " driver=" + report.driver_version +
            " measurements=" + (report.compared ? "compared" : "unchecked (give --rim-dir)"));
}

GpuGateState GpuGate::current() const {
  GpuGateState out = state_;
  if (!out.open) return out;
  const std::int64_t age_s = clock_.now() - out.passed;
  if (age_s >= 0 && age_s <= age_limit_s(options_)) return out;
  out.open = false;
  out.reason = age_s < 0 ? "the clock went back behind the last check of the GPUs"
                         : "the last good check of the GPUs is " + std::to_string(age_s) + " s old";
  return out;
}

GpuGateState GpuGate::state() const {
  std::lock_guard lock(mutex_);
  return current();
}

std::optional<Error> GpuGate::refusal() const {
  std::lock_guard lock(mutex_);
  const GpuGateState now = current();
  if (now.open) return std::nullopt;
  Error error =
      fail(ErrorCode::kGpuNotAttested, "this node's GPUs are not attested, so it takes no prompts: " + now.reason);
  error.retry_after_s = static_cast<int>(pause_after(false, options_).count());
  return error;
}

}  // namespace cloister::reports
