# The pinned llama.cpp, built beforehand by tools/engine into the cache. Imported as it is, with no warnings of ours.
include("${CMAKE_SOURCE_DIR}/cmake/pins.cmake")
if(CLOISTER_CUDA)
  set(flavour cuda)
else()
  set(flavour cpu)
endif()
set(LLAMA_SOURCE "${CLOISTER_CACHE}/llama.cpp-${LLAMA_COMMIT}")
set(LLAMA_BUILD "${CLOISTER_CACHE}/engine-${flavour}-${LLAMA_COMMIT}")
if(NOT EXISTS "${LLAMA_BUILD}/.complete")
  message(FATAL_ERROR "the embedded engine is not built yet: run tools/engine ${flavour} (or configure with -DCLOISTER_LLAMA=OFF)")
endif()

add_library(llama_engine INTERFACE)
target_include_directories(llama_engine SYSTEM INTERFACE
  "${LLAMA_SOURCE}/include" "${LLAMA_SOURCE}/ggml/include" "${LLAMA_SOURCE}/common" "${LLAMA_SOURCE}/tools/server"
  "${LLAMA_SOURCE}/tools/mtmd" "${LLAMA_SOURCE}/vendor" "${LLAMA_SOURCE}")
file(STRINGS "${LLAMA_BUILD}/.libraries" archives)  # link order, relative to the build folder
list(TRANSFORM archives PREPEND "${LLAMA_BUILD}/")
find_package(OpenMP REQUIRED)
target_link_libraries(llama_engine INTERFACE ${archives} OpenMP::OpenMP_CXX Threads::Threads ${CMAKE_DL_LIBS})
if(CLOISTER_CUDA)
  find_package(CUDAToolkit REQUIRED)
  target_link_libraries(llama_engine INTERFACE CUDA::cudart_static CUDA::cublas CUDA::cublasLt CUDA::cuda_driver)
endif()
