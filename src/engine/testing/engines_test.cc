#include "engine/testing/engines.h"

#include <chrono>
#include <cstdlib>
#include <thread>

#include "engine/echo/echo_engine.h"
#if CLOISTER_HAVE_LLAMA
#include "engine/llama/llama_engine.h"
#endif

namespace cloister::engine::testing {
namespace {

std::optional<std::filesystem::path> first_gguf(const std::filesystem::path& folder) {
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
    if (entry.path().extension() == ".gguf") return entry.path();
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::filesystem::path> find_model() {
  if (const char* model = std::getenv("CLOISTER_MODEL")) return model;
  if (const char* cache = std::getenv("CLOISTER_CACHE")) return first_gguf(std::filesystem::path(cache) / "model");
  // Tests run somewhere inside the repository.
  for (auto folder = std::filesystem::current_path();; folder = folder.parent_path()) {
    if (auto model = first_gguf(folder / ".cache" / "model")) return model;
    if (folder == folder.root_path()) return std::nullopt;
  }
}

Health wait_loaded(const Engine& engine) {
  while (engine.health() == Health::kLoading) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return engine.health();
}

Engine* echo_for_tests(std::string&) {
  static std::unique_ptr<Engine> engine = make_echo_engine({});
  return engine.get();
}

#if CLOISTER_HAVE_LLAMA
Engine* llama_for_tests(std::string& why) {
  static std::string reason;
  static std::unique_ptr<Engine> engine = [] {
    auto model = find_model();
    if (!model) {
      reason = "no model file: run tools/fetch model";
      return std::unique_ptr<Engine>();
    }
    LlamaOptions options;
    options.model_path = *model;
    options.context_tokens = 1024;
    options.threads = 1;  // with two threads a busy machine spends its time at barriers
    auto made = make_llama_engine(options);
    if (!made.has_value()) reason = made.error().message;
    if (!made.has_value()) return std::unique_ptr<Engine>();
    if (wait_loaded(**made) == Health::kFailed) reason = (*made)->failure();
    return std::move(made).value();
  }();
  why = reason;
  return reason.empty() ? engine.get() : nullptr;
}
#else
Engine* llama_for_tests(std::string& why) {
  why = "built without the embedded engine (CLOISTER_LLAMA=OFF)";
  return nullptr;
}
#endif

}  // namespace cloister::engine::testing
