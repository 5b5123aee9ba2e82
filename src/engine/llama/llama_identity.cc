#include "engine/llama/llama_identity.h"

#include "crypto/hash.h"
#include "engine/llama/engine_params.h"

namespace cloister::engine::llama {
namespace {

constexpr std::string_view kBuiltIn = "chatml";  // llama.cpp's name for its own template

// Chooses as common_chat_templates_init() does.
std::string chosen_template(const LlamaOptions& options, const ModelFile& file) {
  const std::string& own = options.chat_template.empty() ? file.chat_template : options.chat_template;
  if (!own.empty() && own != kBuiltIn) return own;
  const bool overridden = !options.chat_template.empty();
  return overridden || file.tool_template.empty() ? std::string(kBuiltIn) : file.tool_template;
}

// What becomes of a template before it is used: the built-in one for its name, and repairs of some known ones.
std::string source_of(const std::string& chosen) {
  return common_chat_templates_source(common_chat_templates_init(nullptr, chosen).get());
}

const char* flash_attention_text(llama_flash_attn_type type) {
  switch (type) {
    case LLAMA_FLASH_ATTN_TYPE_AUTO: return "auto";
    case LLAMA_FLASH_ATTN_TYPE_DISABLED: return "off";
    case LLAMA_FLASH_ATTN_TYPE_ENABLED: return "on";
  }
  return "auto";
}

std::map<std::string, Json> settings_of(const LlamaOptions& options, const ModelFile& file) {
  const common_params params = make_params(options, file);
  std::map<std::string, Json> out = {{"parallel", params.n_parallel},
                                     {"threads", params.cpuparams.n_threads},
                                     {"batch_threads", params.cpuparams_batch.n_threads},
                                     {"batch_tokens", params.n_batch},
                                     {"micro_batch_tokens", params.n_ubatch},
                                     {"cache_type_k", ggml_type_name(params.cache_type_k)},
                                     {"cache_type_v", ggml_type_name(params.cache_type_v)},
                                     {"flash_attention", flash_attention_text(params.flash_attn_type)},
                                     {"share_prompt_cache", options.share_prompt_cache},
                                     {"prompt_cache_mib", params.cache_ram_mib},
                                     {"rope_scaling", "model"}};
  const bool gpu = std::string_view(CLOISTER_LLAMA_BACKEND) != "cpu";
  out["gpu_layers"] = !gpu ? Json(0) : params.n_gpu_layers < 0 ? Json("all") : Json(params.n_gpu_layers);
  return out;
}

}  // namespace

std::string model_id(const LlamaOptions& options, const ModelFile& file) {
  return !options.model_id.empty() ? options.model_id : file.path.stem().string();
}

evidence::ModelIdentity describe_model(const LlamaOptions& options, const ModelFile& file) {
  evidence::ModelIdentity out;
  out.id = evidence::identity_text(model_id(options, file));
  out.engine = {"llama.cpp", CLOISTER_VERSION, CLOISTER_LLAMA_FULL_COMMIT, CLOISTER_LLAMA_BACKEND, CLOISTER_LLAMA_CPU};
  out.tokenizer_digest = file.tokenizer_digest;
  const std::string chosen = chosen_template(options, file);
  out.chat_template_digest = crypto::sha256(as_bytes(chosen == kBuiltIn ? source_of(chosen) : chosen));
  if (!file.architecture.empty()) out.architecture = evidence::identity_text(file.architecture);
  if (!file.quantization.empty()) out.quantization = evidence::identity_text(file.quantization);
  out.parameters = file.parameters;
  out.context_length = static_cast<std::uint64_t>(context_in_effect(options, file));
  out.settings = settings_of(options, file);
  return out;
}

Result<void> check_loaded(const evidence::ModelIdentity& identity, const LlamaOptions& options, const ModelFile& file,
                          const LoadedModel& model) {
  const auto differs = [&](const char* what, const std::string& measured, const std::string& loaded) {
    return fail(ErrorCode::kModelFile, std::string("the engine loaded another ") + what +
                                           " than was measured: " + loaded + " instead of " + measured);
  };
  const std::string parameters = std::to_string(model.meta().model_n_params);
  if (std::to_string(*identity.parameters) != parameters) {
    return differs("number of parameters", std::to_string(*identity.parameters), parameters);
  }
  const std::string context = std::to_string(model.context_tokens());
  if (std::to_string(*identity.context_length) != context) {
    return differs("context", std::to_string(*identity.context_length), context);
  }
  try {
    const server_chat_params* chat = model.chat_params();
    if (source_of(chosen_template(options, file)) != common_chat_templates_source(chat->tmpls.get())) {
      return fail(ErrorCode::kModelFile, "the engine uses another chat template than was measured");
    }
  } catch (const std::exception& error) {
    return fail(ErrorCode::kModelFile, std::string("the chat template cannot be read: ") + error.what());
  }
  return {};
}

Result<void> check_template(const std::string& chat_template) {
  try {
    common_chat_templates_init(nullptr, chat_template);
    return {};
  } catch (const std::exception& error) {
    return fail(ErrorCode::kUsage, "--chat-template: " + std::string(error.what()).substr(0, 300), "chat-template");
  }
}

}  // namespace cloister::engine::llama
