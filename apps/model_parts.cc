#include "apps/model_parts.h"

#include <chrono>
#include <thread>

#include "apps/numbers.h"
#include "base/file.h"
#include "codec/json.h"
#include "engine/upstream/upstream_engine.h"
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

void bind_model_options(CLI::App& command, ServeOptions& o) {
  command.add_option("--model-id", o.model_id, "name on the API; default: the file name without .gguf");
  command.add_option("--chat-template", o.chat_template_file, "Jinja file that replaces the model's own chat template");
  command.add_option("--parallel", o.parallel, "sequences decoded together; 0 = 16")
      ->check(whole_number_in(0, 1024))
      ->capture_default_str();
  command.add_option("--context", o.context_tokens, "tokens a request may use; 0 = the model's own, at most 4096")
      ->check(whole_number_in(64, 1 << 24, Zero::kToo))
      ->capture_default_str();
  command.add_flag(
      "--share-prompt-cache", o.share_prompt_cache,
      "llama: let credentials share cached prompts; a client that guesses a prompt can then tell that it was sent");
  command.add_option("--threads", o.threads, "engine threads; 0 = all cores")
      ->check(whole_number_in(0, 1024))
      ->capture_default_str();
  command.add_option("--gpu-layers", o.gpu_layers, "layers on the GPU; -1 = all when built with CUDA")
      ->check(whole_number_in(-1, 10000))
      ->capture_default_str();
  command
      .add_option(
          "--lock-model", o.lock_model,
          "lock the model's pages in memory, so that the engine computes with the bytes that were hashed; auto: where the "
          "system allows it")
      ->check(CLI::IsMember({"auto", "on", "off"}))
      ->capture_default_str();
}

#ifdef CLOISTER_HAVE_LLAMA
Result<engine::LlamaOptions> llama_options(const ServeOptions& options) {
  if (options.model_path.empty()) return fail(ErrorCode::kUsage, "--model is required: the GGUF file to serve");
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
      TRY_VOID(identity::measure_event(*tee, identity::kModelEvent, digest));
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
