#include "apps/model_parts.h"

#include <chrono>
#include <thread>

#include "base/file.h"
#include "codec/json.h"
#include "engine/upstream/upstream_engine.h"
#include "evidence/measured_events.h"
#include "evidence/native_report.h"
#include "identity/compose_image.h"
#include "identity/measured_event.h"
#include "verify/boot/compose.h"

namespace cloister::apps {
#ifdef CLOISTER_HAVE_LLAMA
namespace {

constexpr std::size_t kTemplateLimit = 1 << 20;

}  // namespace
#endif

#ifdef CLOISTER_HAVE_LLAMA
Result<engine::LlamaOptions> llama_options(const config::ServeOptions& options) {
  engine::LlamaOptions llama;
  llama.model_path = options.model_path;
  llama.model_id = options.model_id;
  llama.parallel = options.parallel;
  llama.context_tokens = options.context_tokens;
  llama.threads = options.threads;
  llama.gpu_layers = options.gpu_layers;
  llama.share_prompt_cache = options.share_prompt_cache;
  TRY(lock, engine::parse_lock_mode(options.lock_model));
  llama.lock_model = lock;
  if (!options.chat_template_file.empty()) {
    TRY(text, read_file(options.chat_template_file, kTemplateLimit));
    if (text.empty()) return fail(ErrorCode::kUsage, options.chat_template_file + " is empty: no chat template");
    llama.chat_template = std::move(text);
  }
  return llama;
}
#endif

Result<void> wait_ready(const engine::Engine& engine) {
  while (engine.health() == engine::Health::kLoading) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  if (engine.health() == engine::Health::kFailed) return fail(ErrorCode::kModelFile, engine.failure());
  return {};
}

engine::IdentityHook measure_identity(tee::Tee* tee, identity::Identity& identity) {
  return [tee, &identity](const Json& model) -> Result<void> {
    if (tee != nullptr) {
      TRY(digest, evidence::document_digest(model));
      TRY_VOID(identity::measure_event(*tee, evidence::kModelEvent, digest));
    }
    return identity.set_model(std::make_shared<const Json>(model));
  };
}

std::optional<evidence::ModelClaim> software_claim(tee::Tee* tee, const std::string& upstream_url) {
  const auto url = engine::parse_upstream_url(upstream_url);
  if (tee == nullptr || !url) return std::nullopt;
  const auto info = tee->info();
  const Json* tcb_info =
      info && info->info.is_object() && info->info.contains("tcb_info") ? &info->info["tcb_info"] : nullptr;
  if (tcb_info == nullptr || !tcb_info->is_object()) return std::nullopt;
  const auto text = codec::string_member(*tcb_info, "app_compose");
  if (!text) return std::nullopt;
  const auto compose = verify::parse_app_compose(*text);
  if (!compose) return std::nullopt;
  evidence::ModelClaim claim{"unknown", "verifier_derived", "", std::nullopt};
  if (!url->unix_socket.empty()) {
    claim.reason = "a Unix socket names no service of the measured compose file";
    return claim;
  }
  const auto image = identity::pinned_image(compose->docker_compose_file, url->host);
  if (image) {
    claim.status = "asserted";
    claim.reason =
        evidence::identity_text("the measured compose file runs " + image->reference + " as the service that answers");
    claim.digest = image->digest;
  } else {
    // The name is not shown: it may be an address of the network.
    claim.reason = "the measured compose file pins no image for the service that answers";
  }
  return claim;
}

}  // namespace cloister::apps
