# Read by the pinned engine's own build after its project() (tools/engine: CMAKE_PROJECT_llama.cpp_INCLUDE). It changes how long the
# engine takes to compile and leaves what computes as it is: ggml and src/ keep their -O3.
function(cloister_cheaper_engine)
  # The option parser is 80 s of optimisation for a start that takes milliseconds, and Cloister calls neither it nor the HTTP library.
  set_source_files_properties("${CMAKE_SOURCE_DIR}/common/arg.cpp" TARGET_DIRECTORY llama-common PROPERTIES COMPILE_OPTIONS -O1)
  target_compile_options(cpp-httplib PRIVATE -O1)
  # What most sources of a folder read and what costs most to parse.
  target_precompile_headers(llama-common PRIVATE <algorithm> <functional> <map> <regex> <string> <unordered_map> <vector> <nlohmann/json.hpp>)
  target_precompile_headers(server-context PRIVATE <algorithm> <functional> <map> <string> <unordered_map> <vector> <nlohmann/json.hpp>)
  target_precompile_headers(llama PRIVATE <algorithm> <array> <cmath> <functional> <map> <memory> <string> <unordered_map> <vector>)
  foreach(target llama-common server-context llama)
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)  # as ccache wants it
  endforeach()
endfunction()
cmake_language(DEFER CALL cloister_cheaper_engine)
