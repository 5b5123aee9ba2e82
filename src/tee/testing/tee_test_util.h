// A temporary folder for one test, and the simulated machine that most tests of this module use.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "http/server.h"
#include "tee/simulator/agent.h"
#include "tee/simulator/simulator.h"

namespace cloister::tee::testing {

inline SimulatorOptions simulator_options(std::uint8_t mark = 1) {
  SimulatorOptions options;
  options.seed = SecretBytes(Bytes(32, mark));
  return options;
}

inline std::unique_ptr<Tee> make_simulator(std::uint8_t mark = 1) {
  auto tee = make_insecure_simulator(simulator_options(mark));
  EXPECT_TRUE(tee) << tee.error().message;
  return std::move(*tee);
}

inline evidence::ReportData report_data(std::uint8_t mark) {
  evidence::ReportData data;
  data.fill(mark);
  return data;
}

class FolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "cloister_tee_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
};

// The simulated agent, served on a socket.
class AgentProcess {
 public:
  explicit AgentProcess(const std::string& socket, std::uint8_t mark = 1) {
    auto handler = make_simulated_agent(simulator_options(mark));
    EXPECT_TRUE(handler) << handler.error().message;
    handler_ = std::move(*handler);
    http::ServerOptions options;
    options.unix_socket = socket;
    options.threads = 1;
    auto server = http::Server::start(options, *handler_);
    EXPECT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }

 private:
  std::unique_ptr<http::Handler> handler_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace cloister::tee::testing
