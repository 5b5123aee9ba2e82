#include "engine/llama/model_file.h"

#include <fstream>
#include <memory>

#include "engine/llama/tokenizer_digest.h"
#include "engine/weights/weight_files.h"
#include "gguf.h"
#include "llama.h"

namespace cloister::engine::llama {
namespace {

struct GgufFree {
  void operator()(gguf_context* context) const { gguf_free(context); }
};
using Gguf = std::unique_ptr<gguf_context, GgufFree>;

Error file_error(const std::filesystem::path& path, const std::string& what) {
  return fail(ErrorCode::kModelFile, "model file " + path.string() + ": " + what, path.string());
}

std::string text_value(const gguf_context& file, const std::string& key) {
  std::int64_t at = gguf_find_key(&file, key.c_str());
  return at >= 0 && gguf_get_kv_type(&file, at) == GGUF_TYPE_STRING ? gguf_get_val_str(&file, at) : "";
}

// Number of parts of the model.
std::uint32_t part_count(const gguf_context& file) {
  std::int64_t at = gguf_find_key(&file, "split.count");
  return at >= 0 && gguf_get_kv_type(&file, at) == GGUF_TYPE_UINT16 ? gguf_get_val_u16(&file, at) : 1;
}

// Counted as llama.cpp counts them.
std::uint64_t count_parameters(const gguf_context& file) {
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < gguf_get_n_tensors(&file); ++i) {
    const std::int64_t* sizes = gguf_get_tensor_ne(&file, i);
    std::uint64_t elements = 1;
    for (int dimension = 0; dimension < GGML_MAX_DIMS; ++dimension)
      elements *= static_cast<std::uint64_t>(sizes[dimension]);
    sum += elements;
  }
  return sum;
}

// -1 when the key is missing or of another type.
std::int64_t number_value(const gguf_context& file, const std::string& key) {
  std::int64_t at = gguf_find_key(&file, key.c_str());
  return at >= 0 && gguf_get_kv_type(&file, at) == GGUF_TYPE_UINT32 ? gguf_get_val_u32(&file, at) : -1;
}

Result<void> check_is_gguf(const std::filesystem::path& path) {
  std::error_code code;
  if (!std::filesystem::exists(path, code)) return file_error(path, "no such file");
  if (!std::filesystem::is_regular_file(path, code)) return file_error(path, "not a file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return file_error(path, "cannot be opened");
  char magic[4] = {};
  file.read(magic, sizeof magic);
  if (std::string_view(magic, sizeof magic) != "GGUF")
    return file_error(path, "not a GGUF file (it does not begin with GGUF)");
  return {};
}

Result<Gguf> read_header(const std::filesystem::path& path) {
  TRY_VOID(check_is_gguf(path));
  Gguf file(gguf_init_from_file(path.c_str(), {/*no_alloc=*/true, /*ctx=*/nullptr}));
  if (!file) return file_error(path, "corrupt or cut short: its GGUF header cannot be read");
  return file;
}

}  // namespace

Result<ModelFile> read_model_file(const std::filesystem::path& path) {
  TRY(file, read_header(path));
  ModelFile model;
  model.path = path;
  TRY(parts, gguf_parts(path, part_count(*file)));
  model.parts = std::move(parts);
  model.architecture = text_value(*file, "general.architecture");
  std::int64_t type = number_value(*file, "general.file_type");
  if (type >= 0) model.quantization = llama_ftype_name(static_cast<llama_ftype>(type));
  std::int64_t context = number_value(*file, model.architecture + ".context_length");
  if (context > 0) model.trained_context = static_cast<std::uint64_t>(context);
  model.tokenizer_digest = tokenizer_digest(*file);
  model.chat_template = text_value(*file, "tokenizer.chat_template");
  model.tool_template = text_value(*file, "tokenizer.chat_template.tool_use");
  model.parameters = count_parameters(*file);
  for (std::size_t part = 1; part < model.parts.size(); ++part) {
    TRY(more, read_header(model.parts[part]));
    model.parameters += count_parameters(*more);
  }
  return model;
}

}  // namespace cloister::engine::llama
