#include "engine/llama/engine_params.h"

#include <algorithm>

namespace cloister::engine::llama {
namespace {

constexpr int kDefaultParallel = 16;
// Each sequence has a key-value cache of its own, so memory has to hold 16 times this many tokens: 1.5 GiB for a model
// of the default's shape. docs/decisions/0004-llama-in-process.md gives the reasons.
constexpr int kDefaultContext = 4096;
constexpr int kContextStep = 256;  // llama.cpp rounds a sequence's share up to a multiple of this
constexpr int kPromptCacheMiB = 256;

int trained_context(const ModelFile& file) {
  return file.trained_context > 0 && file.trained_context < 1u << 30 ? static_cast<int>(file.trained_context) : 1 << 30;
}

int context_of(const LlamaOptions& options, const ModelFile& file) {
  return std::min(options.context_tokens > 0 ? options.context_tokens : kDefaultContext, trained_context(file));
}

}  // namespace

common_params make_params(const LlamaOptions& options, const ModelFile& file) {
  common_params params;
  params.model.path = file.path.string();
  params.chat_template = options.chat_template;
  params.n_parallel = options.parallel > 0 ? options.parallel : kDefaultParallel;
  params.n_ctx = context_of(options, file) * params.n_parallel;
  params.kv_unified = false;
  // The library computes n_ubatch tokens at once. Everybody's next token waits for the whole batch, so a batch is no larger.
  params.n_batch = params.n_ubatch;
  // The store in memory knows no owners; the sequences themselves have owners (prompt_owners.h).
  params.cache_ram_mib = options.share_prompt_cache ? kPromptCacheMiB : 0;
  params.verbosity = -1;
  params.fit_params = false;  // a context size that depends on free memory could not be measured
  params.n_gpu_layers = options.gpu_layers < 0 ? -2 : options.gpu_layers;  // -2: all
  if (options.threads > 0) params.cpuparams.n_threads = options.threads;
  postprocess_cpu_params(params.cpuparams, nullptr);
  postprocess_cpu_params(params.cpuparams_batch, &params.cpuparams);
  postprocess_cpu_params(params.speculative.draft.cpuparams, &params.cpuparams);
  postprocess_cpu_params(params.speculative.draft.cpuparams_batch, &params.cpuparams_batch);
  params.default_template_kwargs["preserve_reasoning"] = "true";
  params.endpoint_slots = false;
  params.ui = false;
  return params;
}

int context_in_effect(const LlamaOptions& options, const ModelFile& file) {
  const int asked = context_of(options, file);
  const int rounded =
      asked > (1 << 30) - kContextStep ? asked : (asked + kContextStep - 1) / kContextStep * kContextStep;
  return std::min(rounded, trained_context(file));
}

}  // namespace cloister::engine::llama
