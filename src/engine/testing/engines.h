// Test support: the engines that the contract test runs against.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "engine/engine.h"

namespace cloister::engine::testing {

// The default model in the cache (tools/fetch), or the file that CLOISTER_MODEL names.
std::optional<std::filesystem::path> find_model();

// A ready engine, made at the first call and shared by all tests of the process; null when it cannot be made here, with
// the reason in `why`. With CI=true in the environment that is a failure, not a reason to skip.
Engine* echo_for_tests(std::string& why);
Engine* llama_for_tests(std::string& why);

// Waits until health() is no longer kLoading.
Health wait_loaded(const Engine& engine);

}  // namespace cloister::engine::testing
