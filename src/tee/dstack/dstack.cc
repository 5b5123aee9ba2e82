#include "tee/dstack/dstack.h"

#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

#include "base/encoding.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "crypto/secp256k1.h"
#include "evidence/simulator_roots.h"
#include "tee/checked_quote.h"
#include "tee/dstack/agent_client.h"
#include "tee/quote_log.h"
#include "tee/runtime_event.h"

namespace cloister::tee {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::string_view kPurpose = "signing";
// Members that no measurement covers, such as the application's certificate, may be this old.
constexpr std::chrono::seconds kInfoMaxAge{60};

std::vector<ByteArray<48>> digests(const std::vector<evidence::Event>& events) {
  std::vector<ByteArray<48>> out;
  for (const evidence::Event& event : events) out.push_back(event.digest);
  return out;
}

// The application's key, which signed the derived one: an answer that is only well-formed is not believed. Whether the KMS root signed
// the application's key is for verifiers who know the root.
Result<ByteArray<64>> application_key(const AgentKey& key, std::string_view purpose, const ByteArray<33>& public_key) {
  const std::string message = std::string(purpose) + ":" + to_hex(public_key);
  TRY(signature, from_hex(key.signature_chain[0]));
  const auto signer = crypto::recover_secp256k1(crypto::keccak256(as_bytes(message)), signature);
  if (!signer)
    return fail(ErrorCode::kTeeFailed, "the dstack guest agent's signature chain: " + signer.error().message);
  return *signer;
}

class Dstack final : public Tee {
 public:
  Dstack(AgentClient agent, QuoteKind kind, RuntimeRegister native)
      : agent_(std::move(agent)),
        from_("the dstack guest agent at " + agent_.socket()),
        kind_(kind),
        native_(std::move(native)),
        quote_log_(from_) {}

  std::string_view type() const override {
    return kind_ == QuoteKind::kInsecureSimulator ? evidence::kSimulatorName : std::string_view("dstack");
  }

  Result<Bytes> quote(const evidence::ReportData& report_data) override {
    return quote_log_.seen(take_quote(report_data));
  }

  Result<std::vector<evidence::Event>> event_log() override {
    TRY(events, agent_events());
    TRY(native, native_.events());
    events.insert(events.end(), native.begin(), native.end());
    return events;
  }

  // The agent takes a quote of its own for each Info. So it is asked again only when a quote's log is no longer the one
  // that the last answer belongs to, or when that answer is too old.
  Result<TeeInfo> info() override {
    {
      const std::lock_guard lock(mutex_);
      const bool fresh = info_ && std::chrono::steady_clock::now() - info_time_ < kInfoMaxAge;
      if (fresh && (!events_ || digests(*events_) == digests(info_->events))) return info_->info;
    }
    TRY(answer, agent_.info());
    const std::lock_guard lock(mutex_);
    info_ = answer;
    info_time_ = std::chrono::steady_clock::now();
    return std::move(answer.info);
  }

  Result<SecretBytes> derive_key(std::string_view label) override {
    TRY(key, agent_.key(label, kPurpose));
    TRY(derived, crypto::Secp256k1Key::from_secret(key.secret.expose()));
    TRY_VOID(check_chain(key, kPurpose, crypto::compress_secp256k1(derived.public_key())));
    return std::move(key.secret);
  }

  Result<evidence::KeyCustody> key_custody(std::string_view label, std::string_view purpose) override {
    TRY(key, agent_.key(label, purpose));
    TRY(derived, crypto::Secp256k1Key::from_secret(key.secret.expose()));
    const ByteArray<33> public_key = crypto::compress_secp256k1(derived.public_key());
    TRY_VOID(check_chain(key, purpose, public_key));
    evidence::KeyCustody custody;
    custody.path = label;
    custody.purpose = purpose;
    custody.kms_public_key = to_hex(public_key);
    custody.signature_chain = std::move(key.signature_chain);
    return custody;
  }

  Result<void> extend_event(std::string_view name, ByteView payload) override {
    TRY_VOID(check_event(name, payload));
    Result<void> emitted = agent_.emit_event(name, payload);
    {
      const std::lock_guard lock(mutex_);
      events_.reset();
      info_.reset();
    }
    if (emitted || emitted.error().code != ErrorCode::kUnsupported) return emitted;
    if (!native_.available()) {
      return fail(ErrorCode::kUnsupported, emitted.error().message + "; and " + native_.path() +
                                               " is not there: give the container the kernel's measurement registers");
    }
    return native_.extend(name, payload);
  }

 private:
  // All keys are of one application. Reports show the chains of some of the keys, and a verifier's verdict about these then holds for the
  // others, such as the TLS key.
  Result<void> check_chain(const AgentKey& key, std::string_view purpose, const ByteArray<33>& public_key) {
    TRY(signer, application_key(key, purpose, public_key));
    const std::lock_guard lock(mutex_);
    if (!application_key_) application_key_ = signer;
    if (*application_key_ == signer) return {};
    return fail(ErrorCode::kTeeFailed,
                "the dstack guest agent's signature chain: another application's key than before signed this one");
  }

  Result<Bytes> take_quote(const evidence::ReportData& report_data) {
    TRY(answer, agent_.quote(report_data));
    TRY(kind, inspect_tdx_quote(answer.quote, report_data, from_));
    TRY_VOID(check_same_kind(kind_, kind, from_));
    const std::lock_guard lock(mutex_);
    events_ = std::move(answer.events);
    return std::move(answer.quote);
  }

  Result<std::vector<evidence::Event>> agent_events() {
    {
      const std::lock_guard lock(mutex_);
      if (events_) return *events_;
    }
    TRY(answer, agent_.info());
    return std::move(answer.events);
  }

  const AgentClient agent_;
  const std::string from_;
  const QuoteKind kind_;
  RuntimeRegister native_;
  QuoteLog quote_log_;
  std::mutex mutex_;
  std::optional<std::vector<evidence::Event>> events_;  // events of the newest quote
  std::optional<AgentInfo> info_;
  SteadyTime info_time_;
  std::optional<ByteArray<64>> application_key_;
};

}  // namespace

Result<std::unique_ptr<Tee>> make_dstack(DstackOptions options) {
  TRY(agent, AgentClient::connect(options.socket, {options.quote_timeout_s, options.call_timeout_s}));
  evidence::ReportData probe;
  crypto::fill_random(probe);
  TRY(first, agent.quote(probe));
  TRY(kind, inspect_tdx_quote(first.quote, probe, "the dstack guest agent at " + agent.socket()));
  const auto version = agent.version();
  log::info("dstack guest agent socket=" + agent.socket() +
            " generation=" + (agent.generation() == AgentGeneration::kTappd ? "tappd" : "dstack") +
            " version=" + (version ? *version : "unknown"));
  return std::unique_ptr<Tee>(
      std::make_unique<Dstack>(std::move(agent), kind, RuntimeRegister(std::move(options.native))));
}

}  // namespace cloister::tee
