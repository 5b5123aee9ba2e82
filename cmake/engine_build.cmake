# The pinned engine's own build reads this file after its project() (tools/engine: CMAKE_PROJECT_llama.cpp_INCLUDE). The file shortens the
# compilation of the engine. The code that computes, in ggml and src/, keeps its -O3.
function(cloister_cheaper_engine)
  # The option parser and the HTTP library have no part in computing a reply. With -O1 the parser compiles in a quarter of the time.
  set_source_files_properties("${CMAKE_SOURCE_DIR}/common/arg.cpp" TARGET_DIRECTORY llama-common PROPERTIES COMPILE_OPTIONS -O1)
  target_compile_options(cpp-httplib PRIVATE -O1)
  # These are the headers that most sources of each library read and that cost most to parse.
  target_precompile_headers(llama-common PRIVATE <algorithm> <functional> <map> <regex> <string> <unordered_map> <vector> <nlohmann/json.hpp>)
  target_precompile_headers(server-context PRIVATE <algorithm> <functional> <map> <string> <unordered_map> <vector> <nlohmann/json.hpp>)
  target_precompile_headers(llama PRIVATE <algorithm> <array> <cmath> <functional> <map> <memory> <string> <unordered_map> <vector>)
  foreach(target llama-common server-context llama)
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)  # as ccache wants it
  endforeach()
endfunction()
cmake_language(DEFER CALL cloister_cheaper_engine)
