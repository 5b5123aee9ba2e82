# cloister_embed_text(TARGET FILE HEADER NAMESPACE NAME) makes the bytes of FILE the std::string_view NAME declared in HEADER.
function(cloister_embed_text target file header namespace name)
  set(out "${CMAKE_BINARY_DIR}/embedded/${name}.cc")
  file(READ "${CMAKE_SOURCE_DIR}/${file}" text)
  # Compilers limit the length of one literal, so the text is split into literals that the compiler joins.
  string(LENGTH "${text}" length)
  set(pieces "")
  set(at 0)
  while(at LESS length)
    string(SUBSTRING "${text}" ${at} 8000 piece)
    string(APPEND pieces "R\"~~~(${piece})~~~\"\n")
    math(EXPR at "${at} + 8000")
  endwhile()
  file(CONFIGURE OUTPUT "${out}" CONTENT
"#include \"${header}\"
namespace ${namespace} {
constexpr char kText[] = @pieces@;
const std::string_view ${name}(kText, sizeof kText - 1);
}  // namespace ${namespace}
" @ONLY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${file}")
  target_sources(${target} PRIVATE "${out}")
endfunction()
