# tools/engine builds the pinned llama.cpp into the cache beforehand. It is imported as it is, without the project's warnings.
include("${CMAKE_SOURCE_DIR}/cmake/pins.cmake")
set(CLOISTER_CPU "x86-64-v3" CACHE STRING "instruction set of the engine: x86-64-v3, x86-64-v4 or native, as tools/engine was told")
if(CLOISTER_CUDA)
  set(flavour cuda)
else()
  set(flavour cpu)
endif()
set(LLAMA_SOURCE "${CLOISTER_CACHE}/llama.cpp-${LLAMA_COMMIT}")
set(LLAMA_BUILD "${CLOISTER_CACHE}/engine-${flavour}-${CLOISTER_CPU}-${LLAMA_COMMIT}")
if(NOT EXISTS "${LLAMA_BUILD}/.complete")
  message(FATAL_ERROR "the embedded engine is not built yet: run CLOISTER_CPU=${CLOISTER_CPU} tools/engine ${flavour} (or configure with -DCLOISTER_LLAMA=OFF)")
endif()

add_library(llama_engine INTERFACE)
# The vendor folder of llama.cpp is left out, because it would put its JSON library before the project's own.
target_include_directories(llama_engine SYSTEM INTERFACE
  "${LLAMA_SOURCE}/include" "${LLAMA_SOURCE}/ggml/include" "${LLAMA_SOURCE}/common" "${LLAMA_SOURCE}/tools/server"
  "${LLAMA_SOURCE}/tools/mtmd")
file(STRINGS "${LLAMA_BUILD}/.libraries" archives)  # link order, relative to the build folder
list(TRANSFORM archives PREPEND "${LLAMA_BUILD}/")
# OpenMP's runtime is linked statically. That leaves one library less to measure, and the time that its threads spin at a barrier can be set
# (src/engine/llama/process_guard.cc).
execute_process(COMMAND "${CMAKE_CXX_COMPILER}" -print-file-name=libgomp.a OUTPUT_VARIABLE gomp OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT IS_ABSOLUTE "${gomp}")
  message(FATAL_ERROR "libgomp.a is missing: it comes with g++ (apt-get install g++)")
endif()
target_link_libraries(llama_engine INTERFACE ${archives} "${gomp}" Threads::Threads ${CMAKE_DL_LIBS})
string(SUBSTRING "${LLAMA_COMMIT}" 0 8 llama_commit_short)
target_compile_definitions(llama_engine INTERFACE CLOISTER_LLAMA_COMMIT="${llama_commit_short}"
  # These definitions name the engine's build, for the identity of a model (docs/spec/model-identity.md).
  CLOISTER_LLAMA_FULL_COMMIT="${LLAMA_COMMIT}" CLOISTER_LLAMA_BACKEND="${flavour}" CLOISTER_LLAMA_CPU="${CLOISTER_CPU}")
# ggml would start gdb when it aborts, and the server library would download what a message points to. src/engine/llama/process_guard.cc
# replaces both with functions that refuse, and the linker drops the HTTP client behind the second.
target_link_options(llama_engine INTERFACE -Wl,--wrap=execlp
  # src/engine/llama/prompt_owners.cc decides which prompts share a sequence's cache.
  -Wl,--wrap=_ZNK13server_tokens17get_common_prefixERKS_ -Wl,--wrap=_ZN13server_tokens10keep_firstEm
  # src/engine/llama/sampling_share.cc measures how long sampling each reply's tokens takes. work_limit.cc ends the sampling of a token that
  # takes too long.
  -Wl,--wrap=_Z19common_sampler_initPK11llama_modelR22common_params_sampling
  -Wl,--wrap=_Z21common_sampler_sampleP14common_samplerP13llama_contextib -Wl,--wrap=_Z19common_sampler_freeP14common_sampler
  -Wl,--wrap=_Z21common_sampler_acceptP14common_samplerib -Wl,--wrap=_Znwm
  # sampling_share.cc tracks which reply has which sequence. src/engine/llama/prompt_pieces.cc limits how much of a prompt is computed at once.
  -Wl,--wrap=llama_set_sampler -Wl,--wrap=llama_n_batch -Wl,--wrap=llama_n_ubatch
  # src/engine/llama/progress.cc decides what an abandoned batch returns, and measures how long the others take.
  -Wl,--wrap=llama_decode
  -Wl,--wrap=_Z25common_remote_get_contentRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEERK20common_remote_params)
if(CLOISTER_CUDA)
  find_package(CUDAToolkit REQUIRED)
  target_link_libraries(llama_engine INTERFACE CUDA::cudart_static CUDA::cublas CUDA::cublasLt CUDA::cuda_driver)
endif()
