# The compile options of the project's own code.
find_package(Threads REQUIRED)

add_library(cloister_options INTERFACE)
target_compile_options(cloister_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wno-missing-field-initializers -Werror
  -fno-omit-frame-pointer -fstack-protector-strong -ffunction-sections -fdata-sections)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # These are warnings of the optimiser, not of the language. g++ 12 raises them inside its own std::string, std::optional and memcpy once
  # those are inlined (GCC bugs 105329, 105562, 105651). They stay visible and do not stop the build.
  target_compile_options(cloister_options INTERFACE -Wno-error=array-bounds -Wno-error=maybe-uninitialized
    -Wno-error=restrict -Wno-error=stringop-overflow -Wno-error=stringop-overread -Wno-error=dangling-pointer
    -Wno-error=free-nonheap-object)
endif()
target_compile_definitions(cloister_options INTERFACE CLOISTER_VERSION="${PROJECT_VERSION}")
target_include_directories(cloister_options INTERFACE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/include")
target_link_options(cloister_options INTERFACE -Wl,--gc-sections -Wl,-z,relro,-z,now)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # The same source gives the same bytes in any folder.
  target_compile_options(cloister_options INTERFACE "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")
  if(NOT CLOISTER_SANITIZE)
    target_compile_definitions(cloister_options INTERFACE _FORTIFY_SOURCE=2)
  endif()
endif()
if(CLOISTER_SANITIZE)
  add_compile_options(-fsanitize=${CLOISTER_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CLOISTER_SANITIZE})
endif()
if(CLOISTER_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-tsan)  # Boost.Asio's fences
endif()
if(CLOISTER_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
