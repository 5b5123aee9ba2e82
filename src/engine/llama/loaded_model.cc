#include "engine/llama/loaded_model.h"

#include <algorithm>
#include <stdexcept>

#include "engine/llama/chatml_tools.h"
#include "engine/llama/engine_params.h"
#include "engine/llama/process_guard.h"

namespace cloister::engine::llama {
namespace {

Error load_failed(const ModelFile& file, const std::string& why) {
  return fail(ErrorCode::kModelFile, "cannot load " + file.path.string() + ": " + why, file.path.string());
}

bool has_cap(const server_context_meta& meta, const char* name) {
  auto found = meta.chat_template_caps.find(name);
  return found != meta.chat_template_caps.end() && found->second;
}

// A model whose chats are ChatML can be shown tools in ChatML, though its own template has no place for them.
std::optional<server_chat_params> make_tool_params(const llama_model* model, const server_chat_params& own) {
  if (common_chat_templates_source(own.tmpls.get()).find("<|im_start|>") == std::string::npos) return std::nullopt;
  server_chat_params params = {own.use_jinja,
                               own.prefill_assistant,
                               own.reasoning_format,
                               own.chat_template_kwargs,
                               common_chat_templates_init(model, std::string(kChatMlTools)),
                               /*allow_image=*/false,
                               /*allow_audio=*/false,
                               /*allow_video=*/false,
                               own.enable_thinking,
                               own.reasoning_budget,
                               own.reasoning_budget_message,
                               /*media_path=*/"",
                               own.force_pure_content};
  return params;
}

}  // namespace

Result<std::unique_ptr<LoadedModel>> LoadedModel::load(const LlamaOptions& options, const ModelFile& file,
                                                       const std::atomic<bool>& stop) {
  ErrorCapture errors;
  std::unique_ptr<LoadedModel> loaded(new LoadedModel);
  loaded->params_ = make_params(options, file);
  // Called while tensors are read; an exception tells the loader to give up.
  loaded->context_.set_state_callback([&stop](server_state, json) {
    if (stop) throw std::runtime_error("the engine is stopping");
  });
  try {
    if (!loaded->context_.load_model(loaded->params_)) {
      return load_failed(file, errors.text().empty() ? "the model cannot be used" : errors.text());
    }
    loaded->context_.set_state_callback(nullptr);
    loaded->progress_ = std::make_unique<Progress>(stop);
    loaded->progress_->watch(loaded->context_.get_llama_context());
    loaded->pieces_ = std::make_unique<PromptPieces>(static_cast<std::size_t>(loaded->params_.n_batch));
    loaded->pieces_->watch(loaded->context_.get_llama_context());
    loaded->reader_.emplace(loaded->context_.get_response_reader());
    loaded->meta_ = std::make_unique<server_context_meta>(loaded->context_.get_meta());
    // The scheduler owns the model and hands it out as const; further contexts on it are made through a plain pointer.
    loaded->model_ = const_cast<llama_model*>(llama_get_model(loaded->context_.get_llama_context()));
    loaded->vocab_ = llama_model_get_vocab(loaded->model_);
    for (llama_token token = 0; token < llama_vocab_n_tokens(loaded->vocab_); ++token) {
      loaded->longest_piece_ =
          std::max(loaded->longest_piece_, common_token_to_piece(loaded->vocab_, token, /*special=*/true).size());
    }
    const server_context_meta& meta = *loaded->meta_;
    loaded->tools_are_native_ = has_cap(meta, "supports_tools") && has_cap(meta, "supports_tool_calls");
    if (!loaded->tools_are_native_) loaded->tool_params_ = make_tool_params(loaded->model_, meta.chat_params);
  } catch (const std::exception& e) {
    return load_failed(file, errors.text().empty() ? e.what() : errors.text());
  }
  return loaded;
}

const server_chat_params* LoadedModel::tool_chat_params() const {
  if (tools_are_native_) return chat_params();
  return tool_params_ ? &*tool_params_ : nullptr;
}

}  // namespace cloister::engine::llama
