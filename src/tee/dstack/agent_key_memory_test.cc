// The keys that an agent gives are not left in the memory that they passed through.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string_view>
#include <thread>

#include "base/testing/freed_blocks.h"
#include "tee/dstack/agent_client.h"
#include "tee/testing/tee_test_util.h"

namespace cloister::tee {
namespace {

constexpr std::string_view kHex = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
constexpr std::string_view kHexMark = kHex.substr(24, 24);
constexpr char kRaw[] = "\x87\x96\xa5\xb4\xc3\xd2\xe1\xf0\x0f\x1e\x2d\x3c\x4b\x5a\x69\x78";
constexpr std::string_view kRawMark(kRaw, 16);

// Answers from memory that is never freed.
class StaticAgent {
 public:
  StaticAgent(const std::string& path, std::string_view key_answer)
      : key_answer_(key_answer), listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ::listen(listener_, 8);
    thread_ = std::thread([this] { answer_all(); });
  }
  ~StaticAgent() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

 private:
  void answer_all() {
    constexpr std::string_view kInfo =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{\"tcb_info\":\"\"}";
    for (int peer; (peer = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(peer)) {
      std::string request;
      char piece[4096];
      // All bodies are objects.
      for (ssize_t got; !request.ends_with("}") && (got = ::recv(peer, piece, sizeof(piece), 0)) > 0;) {
        request.append(piece, static_cast<std::size_t>(got));
      }
      const std::string_view answer = request.starts_with("POST /Info ") ? kInfo : key_answer_;
      ::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

  const std::string_view key_answer_;
  const int listener_;
  std::thread thread_;
};

class AgentKeyMemory : public testing::FolderTest {
 protected:
  // How many blocks hold the key after a call for it, and whether the call succeeded.
  std::pair<int, bool> after(const std::string& answer, std::string_view mark) {
    const std::string path = (folder_ / "agent.sock").string();
    bool good = false;
    int blocks = 0;
    {
      const StaticAgent agent(path, answer);
      const auto client = AgentClient::connect(path, {.quote_s = 10, .call_s = 10});
      EXPECT_TRUE(client) << client.error().message;
      if (!client) return {-1, false};
      blocks = cloister::testing::freed_blocks_with(
          mark, [&] { std::thread([&] { good = client->key("a", "b").has_value(); }).join(); });
    }
    std::filesystem::remove(path);
    return {blocks, good};
  }
};

std::string framed(const std::string& body) {
  return "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string chunked(const std::string& body) {
  std::string out = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
  char size[16];
  for (std::size_t at = 0; at < body.size(); at += 100) {
    const std::string piece = body.substr(at, 100);
    std::snprintf(size, sizeof(size), "%zx\r\n", piece.size());
    out += size + piece + "\r\n";
  }
  return out + "0\r\n\r\n";
}

TEST_F(AgentKeyMemory, NothingStays) {
  const std::string signature = "\"" + std::string(130, 'a') + "\"";
  const std::string key = "\"key\":\"" + std::string(kHex) + "\"";
  const std::string good = "{" + key + ",\"signature_chain\":[" + signature + "," + signature + "]}";
  for (const std::string_view mark : {kHexMark, kRawMark}) {
    for (const std::string& answer : {framed(good), chunked(good)}) {
      EXPECT_EQ(after(answer, mark), std::pair(0, true));
    }
    for (const std::string& answer :
         {framed("{" + key + "}"), framed("{" + key + ",\"signature_chain\":[1,2]}"), framed("{" + key + "} "),
          framed("{" + key), framed(good).substr(0, 200), "HTTP/1.1 500 Oh\r\ncontent-length: 99\r\n\r\n{" + key + "}",
          "HTTP/1.1 500 Oh\r\ncontent-length: " + std::to_string(key.size()) + "\r\n\r\n" + key}) {
      EXPECT_EQ(after(answer, mark), std::pair(0, false)) << answer;
    }
  }
}

}  // namespace
}  // namespace cloister::tee
