// Server and client over a Unix socket.
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <thread>

#include "base/file.h"
#include "http/client.h"
#include "http/http_test_util.h"

namespace cloister::http {
namespace {

namespace fs = std::filesystem;

class UnixSocket : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "cloister_unix_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path() const { return (folder_ / "socket").string(); }

  Result<std::unique_ptr<Server>> serve() {
    ServerOptions options;
    options.unix_socket = path();
    options.threads = 1;
    return Server::start(options, handler_);
  }

  Client client(ClientOptions options = {}) const {
    Url url;
    url.host = "localhost";
    url.unix_socket = path();
    return Client(std::move(url), std::move(options));
  }

  fs::path folder_;
  testing::ScriptHandler handler_;
};

// Listens, and does what it is told with the one client that comes.
class Peer {
 public:
  Peer(const std::string& path, std::function<void(int)> talk) : listener_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ::listen(listener_, 1);
    thread_ = std::thread([this, talk = std::move(talk)] {
      const int peer = ::accept(listener_, nullptr, nullptr);
      talk(peer);
      ::close(peer);
    });
  }
  ~Peer() {
    thread_.join();
    ::close(listener_);
  }

 private:
  int listener_;
  std::thread thread_;
};

TEST_F(UnixSocket, AnswersAndIsLoopback) {
  bool loopback = false;
  std::string host;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    loopback = exchange->request().peer_is_loopback;
    host = exchange->request().header("host").value_or("");
    Response response;
    response.body = exchange->request().body;
    exchange->respond(std::move(response));
  };
  auto server = serve();
  ASSERT_TRUE(server) << server.error().message;
  const auto got = client().post_json("/x", "{}");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body, "{}");
  EXPECT_TRUE(loopback);
  EXPECT_EQ(host, "localhost");
}

// The dstack SDK for Rust names one host in the target and another in the field.
TEST_F(UnixSocket, TheNameOfTheHostMeansNothing) {
  handler_.on_request = [](const std::shared_ptr<Exchange>& exchange) {
    Response response;
    response.body = exchange->request().path;
    exchange->respond(std::move(response));
  };
  auto server = serve();
  ASSERT_TRUE(server) << server.error().message;
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const std::string request = "GET http://unix.socket/GetQuote HTTP/1.1\r\nhost: dstack\r\nconnection: close\r\n\r\n";
  ASSERT_EQ(::send(socket, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  std::string reply;
  char chunk[4096];
  for (ssize_t n; (n = ::recv(socket, chunk, sizeof chunk, 0)) > 0;) reply.append(chunk, static_cast<std::size_t>(n));
  ::close(socket);
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 200 ")) << reply;
  EXPECT_TRUE(reply.ends_with("/GetQuote")) << reply;
}

TEST_F(UnixSocket, IsOfItsOwnerAndGoesWithTheServer) {
  {
    auto server = serve();
    ASSERT_TRUE(server) << server.error().message;
    struct stat status {};
    ASSERT_EQ(::stat(path().c_str(), &status), 0);
    EXPECT_TRUE(S_ISSOCK(status.st_mode));
    EXPECT_EQ(status.st_mode & 07777, 0600u);
  }
  EXPECT_FALSE(fs::exists(path()));
}

TEST_F(UnixSocket, ADeadOneIsReplacedALiveOneIsNot) {
  {
    const Peer dead(path(), [](int) {});
    [[maybe_unused]] const auto got = client().get("/");
  }
  ASSERT_TRUE(fs::exists(path()));
  auto server = serve();
  ASSERT_TRUE(server) << server.error().message;
  const auto second = serve();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAddressInUse);
  EXPECT_TRUE(client().get("/"));
}

TEST_F(UnixSocket, AFileInItsPlaceStays) {
  ASSERT_TRUE(write_file_atomically(path(), "a file", 0600));
  const auto server = serve();
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, ErrorCode::kAddressInUse);
  EXPECT_EQ(*read_file(path(), 100), "a file");
}

TEST_F(UnixSocket, APathTooLongIsAnErrorOfBothSides) {
  folder_ /= std::string(120, 'x');
  EXPECT_EQ(serve().error().code, ErrorCode::kUsage);
  EXPECT_EQ(client().get("/").error().code, ErrorCode::kUsage);
  folder_ = folder_.parent_path();
}

TEST_F(UnixSocket, NobodyThereIsAnErrorThatNamesThePath) {
  const auto got = client().get("/");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kNetwork);
  EXPECT_NE(got.error().message.find(path()), std::string::npos) << got.error().message;
}

TEST_F(UnixSocket, TheWholeExchangeHasALimit) {
  // Sends a byte just before each time-out: no single read is slow.
  const Peer dripping(path(), [](int peer) {
    const std::string_view head = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n";
    ::send(peer, head.data(), head.size(), MSG_NOSIGNAL);
    while (::send(peer, "x", 1, MSG_NOSIGNAL) == 1) {
      pollfd wait{peer, POLLRDHUP, 0};
      if (::poll(&wait, 1, 20) > 0 && (wait.revents & (POLLRDHUP | POLLHUP)) != 0) return;
    }
  });
  ClientOptions options;
  options.idle_timeout_s = 60;
  options.total_timeout_s = 1;
  const auto started = std::chrono::steady_clock::now();
  const auto got = client(options).get("/");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kTimeout);
  EXPECT_NE(got.error().message.find("in full within 1 s"), std::string::npos) << got.error().message;
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(10));
}

}  // namespace
}  // namespace cloister::http
