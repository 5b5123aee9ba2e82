# Each library from Debian stands behind one interface target. Reasons and versions are in docs/decisions/0002-dependencies.md.
find_package(PkgConfig REQUIRED)

add_library(dep_json INTERFACE)
find_package(nlohmann_json 3.11 REQUIRED)
target_link_libraries(dep_json INTERFACE nlohmann_json::nlohmann_json)

# simdjson reads most JSON in place of the parser of nlohmann_json.
add_library(dep_simdjson INTERFACE)
pkg_check_modules(SIMDJSON REQUIRED IMPORTED_TARGET simdjson)
target_link_libraries(dep_simdjson INTERFACE PkgConfig::SIMDJSON)

# libyaml reads compose texts.
add_library(dep_yaml INTERFACE)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1>=0.2.5)
target_link_libraries(dep_yaml INTERFACE PkgConfig::YAML)

add_library(dep_spdlog INTERFACE)
find_package(spdlog REQUIRED)
target_link_libraries(dep_spdlog INTERFACE spdlog::spdlog)

add_library(dep_openssl INTERFACE)
find_package(OpenSSL 3.0 REQUIRED)
target_link_libraries(dep_openssl INTERFACE OpenSSL::SSL OpenSSL::Crypto)

add_library(dep_secp256k1 INTERFACE)
pkg_check_modules(SECP256K1 REQUIRED IMPORTED_TARGET libsecp256k1)
target_link_libraries(dep_secp256k1 INTERFACE PkgConfig::SECP256K1)

# The library is static, because only Keccak-256 is used and the linker drops the rest.
add_library(dep_cryptopp INTERFACE)
find_library(CRYPTOPP_STATIC NAMES libcryptopp.a libcrypto++.a REQUIRED)
target_link_libraries(dep_cryptopp INTERFACE "${CRYPTOPP_STATIC}")

# xmlsec verifies the XML signatures of NVIDIA's reference manifests. Its OpenSSL flavour is used, so that there is one crypto library.
add_library(dep_xmlsec INTERFACE)
pkg_check_modules(XMLSEC REQUIRED IMPORTED_TARGET xmlsec1-openssl)
target_link_libraries(dep_xmlsec INTERFACE PkgConfig::XMLSEC)

# zlib unpacks documents that a service serves packed (src/codec/gzip). libxml2 needs the library as well.
add_library(dep_zlib INTERFACE)
find_package(ZLIB 1.2.13 REQUIRED)
target_link_libraries(dep_zlib INTERFACE ZLIB::ZLIB)

# toml++ is a header-only TOML reader.
add_library(dep_toml INTERFACE)
pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)
target_link_libraries(dep_toml INTERFACE PkgConfig::TOMLPLUSPLUS)

add_library(dep_boost INTERFACE)
find_package(Boost 1.81 REQUIRED)
target_link_libraries(dep_boost INTERFACE Boost::headers)
target_compile_definitions(dep_boost INTERFACE BOOST_ASIO_NO_DEPRECATED)

# Only the headers are used: src/collateral loads the library when it first fetches something (docs/decisions/0005-fetching-collateral.md).
add_library(dep_curl INTERFACE)
pkg_check_modules(CURL REQUIRED libcurl>=7.85)
target_include_directories(dep_curl SYSTEM INTERFACE ${CURL_INCLUDE_DIRS})
target_link_libraries(dep_curl INTERFACE ${CMAKE_DL_LIBS})

# SQLite stores durable receipts (src/db/sqlite).
add_library(dep_sqlite INTERFACE)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.40)
target_link_libraries(dep_sqlite INTERFACE PkgConfig::SQLITE)

# Only the headers are used: src/db/postgres loads the library when a node keeps its receipts in PostgreSQL
# (docs/decisions/0012-durable-receipts.md).
add_library(dep_pq INTERFACE)
pkg_check_modules(PQ REQUIRED libpq>=14)
target_include_directories(dep_pq SYSTEM INTERFACE ${PQ_INCLUDE_DIRS})
target_link_libraries(dep_pq INTERFACE ${CMAKE_DL_LIBS})

add_library(dep_prometheus INTERFACE)
# The library is found by pkg-config, because the CMake package also requires the HTTP parts, which are not used.
pkg_check_modules(PROMETHEUS_CORE REQUIRED IMPORTED_TARGET prometheus-cpp-core)
target_link_libraries(dep_prometheus INTERFACE PkgConfig::PROMETHEUS_CORE)

add_library(dep_cli11 INTERFACE)
find_package(CLI11 REQUIRED)
target_link_libraries(dep_cli11 INTERFACE CLI11::CLI11)

# The project's warnings do not apply to third-party headers.
foreach(target nlohmann_json::nlohmann_json spdlog::spdlog Boost::headers CLI11::CLI11)
  get_target_property(dirs ${target} INTERFACE_INCLUDE_DIRECTORIES)
  if(dirs)
    set_target_properties(${target} PROPERTIES INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${dirs}")
  endif()
endforeach()

if(CLOISTER_TESTS)
  find_package(GTest REQUIRED)
endif()
