#include "engine/llama/model_file.h"

#include <fstream>
#include <memory>

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
  if (std::string_view(magic, sizeof magic) != "GGUF") return file_error(path, "not a GGUF file (it does not begin with GGUF)");
  return {};
}

}  // namespace

Result<ModelFile> read_model_file(const std::filesystem::path& path) {
  TRY_VOID(check_is_gguf(path));
  Gguf file(gguf_init_from_file(path.c_str(), {/*no_alloc=*/true, /*ctx=*/nullptr}));
  if (!file) return file_error(path, "corrupt or cut short: its GGUF header cannot be read");
  ModelFile model;
  model.path = path;
  std::int64_t type = number_value(*file, "general.file_type");
  if (type >= 0) model.quantization = llama_ftype_name(static_cast<llama_ftype>(type));
  std::int64_t context = number_value(*file, text_value(*file, "general.architecture") + ".context_length");
  if (context > 0) model.trained_context = static_cast<std::uint64_t>(context);
  return model;
}

}  // namespace cloister::engine::llama
