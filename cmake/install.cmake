# `cmake --install BUILD --prefix DIR` installs two components, which can be asked for alone:
#   program    bin/cloister
#   verifier   lib/libcloister_verify.so, include/cloister/*.h, lib/pkgconfig/cloister_verify.pc
include(GNUInstallDirs)

install(TARGETS cloister RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT program)

install(TARGETS cloister_abi
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT verifier NAMELINK_COMPONENT verifier)
install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/cloister" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT verifier
  FILES_MATCHING PATTERN "*.h")

# The paths are computed from the installed file itself, so that the installed tree can be moved.
file(RELATIVE_PATH CLOISTER_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" CLOISTER_PC_PREFIX "${CLOISTER_PC_PREFIX}")
configure_file("${CMAKE_SOURCE_DIR}/cmake/cloister_verify.pc.in" "${CMAKE_BINARY_DIR}/cloister_verify.pc" @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/cloister_verify.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT verifier)
