# tools/crypto builds the pinned AWS-LC into the cache beforehand. The library exports the names of OpenSSL, which other libraries of the
# program use as well. So the parts of AWS-LC that src/crypto/aws_lc calls are linked into one object first, and all names but those of that
# folder become local.
include("${CMAKE_SOURCE_DIR}/cmake/pins.cmake")
set(AWS_LC_SOURCE "${CLOISTER_CACHE}/aws-lc-${AWS_LC_VERSION}")
set(AWS_LC_BUILD "${CLOISTER_CACHE}/aws-lc-build-${AWS_LC_VERSION}")
if(NOT EXISTS "${AWS_LC_BUILD}/.complete")
  message(FATAL_ERROR "AWS-LC is not built yet: run tools/crypto")
endif()

file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/crypto/aws_lc/*.cc")
add_library(aws_lc_calls OBJECT ${sources})
target_include_directories(aws_lc_calls SYSTEM BEFORE PRIVATE "${AWS_LC_SOURCE}/include")
target_include_directories(aws_lc_calls PRIVATE "${CMAKE_SOURCE_DIR}/src")
target_link_libraries(aws_lc_calls PRIVATE cloister_options)
set_target_properties(aws_lc_calls PROPERTIES POSITION_INDEPENDENT_CODE ON)

set(whole "${CMAKE_BINARY_DIR}/aws_lc_all_names.o")
set(AWS_LC_OBJECT "${CMAKE_BINARY_DIR}/aws_lc.o")
add_custom_command(OUTPUT "${AWS_LC_OBJECT}" BYPRODUCTS "${whole}"
  COMMAND "${CMAKE_LINKER}" -r -o "${whole}" $<TARGET_OBJECTS:aws_lc_calls> "${AWS_LC_BUILD}/crypto/libcrypto.a"
  COMMAND "${CMAKE_OBJCOPY}" --wildcard "--keep-global-symbol=_ZN8cloister6crypto6aws_lc*" "${whole}" "${AWS_LC_OBJECT}"
  DEPENDS aws_lc_calls $<TARGET_OBJECTS:aws_lc_calls> "${AWS_LC_BUILD}/crypto/libcrypto.a"
  COMMAND_EXPAND_LISTS VERBATIM COMMENT "Linking AWS-LC into one object")
set_source_files_properties("${AWS_LC_OBJECT}" PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
target_sources(cloister_crypto PRIVATE "${AWS_LC_OBJECT}")
