#include "engine/llama/process_guard.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <utility>
#include <vector>

#include "base/log.h"
#include "download.h"
#include "ggml-cpu.h"
#include "ggml.h"
#include "llama.h"
#include "log.h"
#include "mtmd-helper.h"

// The linker redirects ggml's calls of execlp here (cmake/llama.cmake): on an abort ggml would attach gdb to this process.
extern "C" int __wrap_execlp(const char*, const char*, ...) { return -1; }

// The linker also redirects the server library's calls of common_remote_get_content() here. Messages with media never get
// that far; this keeps the download code out of the program. Status 0 is what the library reports when there was no answer.
std::pair<long, std::vector<char>> refuse_to_download(const std::string&, const common_remote_params&) __asm__(
    "__wrap__Z25common_remote_get_contentRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEERK20common_remote_params");
std::pair<long, std::vector<char>> refuse_to_download(const std::string&, const common_remote_params&) {
  return {0, {}};
}

// A function of libgomp, hidden in this program: how often a thread polls a barrier before it sleeps.
extern "C" unsigned long long gomp_spin_count_var;

namespace cloister::engine::llama {
namespace {

// Some microseconds. libgomp's own 300,000 keep a core busy for a millisecond while the awaited thread cannot run,
// because sockets and streams need the cores, too. Measured (docs/decisions/0004-llama-in-process.md): the same speed
// on idle cores, up to four times faster on busy ones.
constexpr unsigned long long kBarrierSpins = 4000;

void limit_spinning() {
  bool chosen = std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr;
  if (!chosen) gomp_spin_count_var = kBarrierSpins;
}

thread_local std::string* capture = nullptr;

void on_log(ggml_log_level level, const char* text, void*) {
  if (level != GGML_LOG_LEVEL_ERROR || capture == nullptr || !capture->empty()) return;
  std::string line(text);
  line.erase(std::find(line.begin(), line.end(), '\n'), line.end());
  // "function_name: what happened" -> "what happened"
  std::size_t colon = line.find(": ");
  if (colon != std::string::npos && line.find(' ') > colon) line.erase(0, colon + 2);
  *capture = std::move(line);
}

// ggml is about to call abort(). Only file and line are logged, since the rest of the message may quote data.
void on_abort(const char* message) {
  std::string text(message);
  log::error("the embedded engine aborts at " + text.substr(0, text.find(": ")));
}

#if defined(__x86_64__)
// CPUID leaf 1, ECX bit 29 (Intel SDM, volume 2A, CPUID); __builtin_cpu_supports() of clang 14 does not know the name.
bool has_f16c() {
  unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}
#endif

struct Instruction {
  const char* name;
  bool built_with;
  bool here;
};

Result<void> check_cpu() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const Instruction needed[] = {
      {"AVX", ggml_cpu_has_avx() != 0, __builtin_cpu_supports("avx") != 0},
      {"AVX2", ggml_cpu_has_avx2() != 0, __builtin_cpu_supports("avx2") != 0},
      {"FMA", ggml_cpu_has_fma() != 0, __builtin_cpu_supports("fma") != 0},
      {"BMI2", ggml_cpu_has_bmi2() != 0, __builtin_cpu_supports("bmi2") != 0},
      {"F16C", ggml_cpu_has_f16c() != 0, has_f16c()},
      {"AVX512", ggml_cpu_has_avx512() != 0,
       __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd")},
      {"AVX512_VNNI", ggml_cpu_has_avx512_vnni() != 0, __builtin_cpu_supports("avx512vnni") != 0},
      {"AVX512_VBMI", ggml_cpu_has_avx512_vbmi() != 0, __builtin_cpu_supports("avx512vbmi") != 0},
      {"AVX512_BF16", ggml_cpu_has_avx512_bf16() != 0, __builtin_cpu_supports("avx512bf16") != 0},
  };
  std::string missing;
  for (const Instruction& one : needed) {
    if (one.built_with && !one.here) missing += std::string(missing.empty() ? "" : ", ") + one.name;
  }
  if (!missing.empty()) {
    return fail(ErrorCode::kEngineFailed, "this CPU lacks what the embedded engine was built for: " + missing +
                                              " (see CLOISTER_CPU in tools/engine)");
  }
#endif
  return {};
}

Result<void> enter_once() {
  TRY_VOID(check_cpu());
  common_log_set_verbosity_thold(-1);  // below LOG_LEVEL_OUTPUT, the lowest level
  llama_log_set(on_log, nullptr);
  mtmd_helper_log_set(on_log, nullptr);
  ggml_set_abort_callback(on_abort);
  // ggml has installed a handler here that prints a backtrace by starting a debugger.
  std::set_terminate([] { std::abort(); });
  limit_spinning();
  llama_backend_init();
  return {};
}

}  // namespace

Result<void> enter_llama() {
  static const Result<void> entered = enter_once();
  return entered;
}

ErrorCapture::ErrorCapture() { capture = &text_; }
ErrorCapture::~ErrorCapture() { capture = nullptr; }

}  // namespace cloister::engine::llama
