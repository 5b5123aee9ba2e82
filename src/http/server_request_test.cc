// Which requests the server accepts, and how it refuses the others.
#include <thread>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "http/http_test_util.h"

namespace cloister::http {
namespace {

using testing::loopback_options;
using testing::RawClient;
using testing::RawReply;

class RequestTest : public testing::ServerTest {};

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nhost: x\r\n\r\n";

TEST_F(RequestTest, AnswersAndKeepsTheConnection) {
  serve();
  RawClient raw = client();
  for (int i = 0; i < 3; ++i) {
    raw.send(kGet);
    const RawReply reply = raw.read_reply();
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "GET /a ");
    EXPECT_TRUE(reply.has("content-type: text/plain"));
    EXPECT_EQ(reply.head.find("connection:"), std::string::npos);
    EXPECT_NE(reply.head.find("\r\ndate: "), std::string::npos);
  }
  EXPECT_EQ(server_->stats().connections_total, 1u);
  EXPECT_EQ(server_->stats().requests_total, 3u);
}

TEST_F(RequestTest, HandsOverHeadBodyAndHash) {
  Request seen;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    seen = exchange->request();
    exchange->respond({});
  };
  serve();
  const RawReply reply = ask(
      "POST /v1/%C3%A9?model=a%20b&x HTTP/1.1\r\nHost: x\r\nX-Two: 1\r\nx-two: 2\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.path, "/v1/\xC3\xA9");
  EXPECT_EQ(seen.query, "model=a%20b&x");
  EXPECT_EQ(seen.header("x-two"), "1");
  EXPECT_EQ(seen.headers.size(), 4u);
  EXPECT_TRUE(seen.peer_is_loopback);
  EXPECT_TRUE(seen.peer.starts_with("127.0.0.1:")) << seen.peer;
  EXPECT_EQ(seen.body, "hello");
  EXPECT_EQ(to_hex(seen.body_sha256), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
}

TEST_F(RequestTest, HashesBodiesThatComeInPieces) {
  Request seen;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    seen.body = exchange->request().body;
    seen.body_sha256 = exchange->request().body_sha256;
    exchange->respond({});
  };
  serve();
  std::string body;
  for (int i = 0; i < 300000; ++i) body += static_cast<char>(i * 7 % 251);
  RawClient raw = client();
  raw.send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 300000\r\n\r\n");
  for (std::size_t at = 0; at < body.size(); at += 50000) ASSERT_TRUE(raw.send(body.substr(at, 50000)));
  EXPECT_EQ(raw.read_reply().status, 200);
  EXPECT_EQ(seen.body, body);
  EXPECT_EQ(seen.body_sha256, crypto::sha256(as_bytes(body)));
}

TEST_F(RequestTest, TakesByteByByte) {
  serve();
  RawClient raw = client();
  for (const char c : std::string_view("POST /b HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
                                       "3;a=b\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n")) {
    ASSERT_TRUE(raw.send({&c, 1}));
  }
  const RawReply reply = raw.read_reply();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "POST /b abc0123456789");
  raw.send(kGet);
  EXPECT_EQ(raw.read_reply().body, "GET /a ");
}

TEST_F(RequestTest, AnswersPipelinedRequestsInOrder) {
  serve();
  RawClient raw = client();
  std::string all = "\r\n";
  for (int i = 0; i < 200; ++i) all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nhost: x\r\n\r\n";
  all += "POST /end HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nend";
  raw.send(all);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(raw.read_reply().body, "GET /" + std::to_string(i) + " ");
  EXPECT_EQ(raw.read_reply().body, "POST /end end");
}

// The first reply comes later, from another thread; much more is sent ahead than the connection keeps.
TEST_F(RequestTest, KeepsRequestsSentAheadOfASlowReply) {
  std::vector<std::thread> threads;
  testing::Signal go;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    if (exchange->request().path == "/slow") {
      threads.emplace_back([&go, exchange] {
        EXPECT_TRUE(go.wait());
        exchange->respond({});
      });
    } else {
      Response response;
      response.body = exchange->request().path;
      exchange->respond(std::move(response));
    }
  };
  serve();
  RawClient raw = client();
  raw.send("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n");
  std::thread writer([&] {
    for (int i = 0; i < 20000; ++i) {
      if (!raw.send("GET /" + std::to_string(i) + " HTTP/1.1\r\nhost: x\r\n\r\n")) return;
    }
  });
  go.set();
  EXPECT_EQ(raw.read_reply().body, "");
  for (int i = 0; i < 20000; ++i) ASSERT_EQ(raw.read_reply().body, std::string("/") + std::to_string(i));
  writer.join();
  for (auto& thread : threads) thread.join();
}

TEST_F(RequestTest, AnswersHeadWithoutABody) {
  serve();
  RawClient raw = client();
  raw.send("HEAD /a HTTP/1.1\r\nhost: x\r\n\r\n");
  const RawReply reply = raw.read_reply(true);
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.has("content-length: 8"));
  raw.send(kGet);
  EXPECT_EQ(raw.read_reply().body, "GET /a ");
}

TEST_F(RequestTest, SpeaksHttp10) {
  serve();
  RawClient raw = client();
  raw.send("GET /a HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(raw.read_reply().has("connection: keep-alive"));
  raw.send("GET /a HTTP/1.0\r\n\r\n");
  const RawReply reply = raw.read_reply();
  EXPECT_EQ(reply.body, "GET /a ");
  EXPECT_TRUE(reply.has("connection: close"));
  EXPECT_TRUE(raw.at_end());
}

TEST_F(RequestTest, ClosesWhenAsked) {
  serve();
  RawClient raw = client();
  raw.send("GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  EXPECT_TRUE(raw.read_reply().has("connection: close"));
  EXPECT_TRUE(raw.at_end());
}

TEST_F(RequestTest, SaysContinueWhenAsked) {
  serve();
  RawClient raw = client();
  raw.send("POST /a HTTP/1.1\r\nhost: x\r\nexpect: 100-Continue\r\ncontent-length: 2\r\n\r\n");
  EXPECT_EQ(raw.read_through("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  raw.send("ok");
  EXPECT_EQ(raw.read_reply().body, "POST /a ok");
  EXPECT_EQ(ask("POST /a HTTP/1.1\r\nhost: x\r\nexpect: tea\r\ncontent-length: 2\r\n\r\n").status, 417);
}

TEST_F(RequestTest, AnswersARefusalBeforeTheBody) {
  auto refusal = std::make_shared<Response>();
  refusal->status = 401;
  refusal->body = "no";
  handler_.on_admit = [&](const RequestHead& head) {
    return head.path == "/open" ? Admission{10, nullptr} : Admission{10, refusal};
  };
  serve();
  RawClient raw = client();
  raw.send("GET /closed HTTP/1.1\r\nhost: x\r\n\r\n");
  EXPECT_EQ(raw.read_reply().status, 401);
  raw.send("GET /open HTTP/1.1\r\nhost: x\r\n\r\n");
  EXPECT_EQ(raw.read_reply().status, 200);
  // The unread body must not be taken for a request, so the connection ends.
  raw.send("POST /closed HTTP/1.1\r\nhost: x\r\ncontent-length: 30\r\n\r\nGET /open HTTP/1.1\r\nhost: x\r\n\r\n");
  const RawReply reply = raw.read_reply();
  EXPECT_EQ(reply.status, 401);
  EXPECT_TRUE(reply.has("connection: close"));
  EXPECT_TRUE(raw.at_end());
}

// The client sends all of its body before it reads: it must find the reply, not a reset.
TEST_F(RequestTest, RefusesHugeBodiesSoThatTheClientSeesIt) {
  handler_.on_admit = [](const RequestHead&) { return Admission{1000, nullptr}; };
  serve();
  RawClient raw = client();
  raw.send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 8000000\r\n\r\n");
  ASSERT_TRUE(raw.send(std::string(8000000, 'x')));
  const RawReply reply = raw.read_reply();
  EXPECT_EQ(reply.status, 413);
  EXPECT_NE(reply.body.find("1000 bytes"), std::string::npos);
  EXPECT_TRUE(raw.at_end());
  EXPECT_FALSE(raw.was_reset());

  RawClient chunked = client();
  chunked.send("POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(chunked.send("1F4\r\n" + std::string(500, 'x') + "\r\n"));
  EXPECT_EQ(chunked.read_reply().status, 413);
}

TEST_F(RequestTest, TakesABodyOfExactlyTheLimit) {
  handler_.on_admit = [](const RequestHead&) { return Admission{5, nullptr}; };
  serve();
  EXPECT_EQ(ask("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n12345").status, 200);
  EXPECT_EQ(ask("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\n123456").status, 413);
  EXPECT_EQ(
      ask("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\n123\r\n2\r\n45\r\n0\r\n\r\n").status,
      200);
  EXPECT_EQ(
      ask("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\n123\r\n3\r\n456\r\n0\r\n\r\n").status,
      413);
}

TEST_F(RequestTest, RefusesHugeHeaders) {
  serve();
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nhost: x\r\nx: " + std::string(40000, 'x') + "\r\n\r\n").status, 431);
  EXPECT_EQ(ask("GET /" + std::string(40000, 'x') + " HTTP/1.1\r\nhost: x\r\n\r\n").status, 431);
  // Endless, and in small pieces.
  RawClient raw = client();
  raw.send("GET / HTTP/1.1\r\nhost: x\r\n");
  for (int i = 0; i < 5000 && raw.send("x-" + std::to_string(i) + ": 1234567890\r\n"); ++i) {
  }
  EXPECT_EQ(raw.read_reply().status, 431);
  std::string many = "GET / HTTP/1.1\r\nhost: x\r\n";
  for (int i = 0; i < 200; ++i) many += "a:b\r\n";
  EXPECT_EQ(ask(many + "\r\n").status, 431);
  EXPECT_EQ(ask("GET /" + std::string(30000, 'x') + " HTTP/1.1\r\nhost: x\r\n\r\n").status, 200);
}

struct BadRequest {
  const char* name;
  std::string_view bytes;
  int status;
};

class BadRequestTest : public testing::ServerTest, public ::testing::WithParamInterface<BadRequest> {};

TEST_P(BadRequestTest, IsRefusedOnceAndTheConnectionEnds) {
  serve();
  RawClient raw = client();
  raw.send(GetParam().bytes);
  // If the rest were read as a request, a second reply would come.
  raw.send("GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n");
  const RawReply reply = raw.read_reply();
  EXPECT_EQ(reply.status, GetParam().status);
  EXPECT_TRUE(reply.body.starts_with("{\"error\":")) << reply.body;
  EXPECT_TRUE(reply.has("connection: close"));
  EXPECT_EQ(raw.read_to_end(), "");
}

#define HEAD_LINES "POST / HTTP/1.1\r\nhost: x\r\n"
INSTANTIATE_TEST_SUITE_P(
    All, BadRequestTest,
    ::testing::Values(
        BadRequest{"Garbage", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400},
        BadRequest{"Http09", "GET /\r\n\r\n", 400}, BadRequest{"Http2", "GET / HTTP/2.0\r\nhost: x\r\n\r\n", 505},
        BadRequest{"Http12", "GET / HTTP/1.2\r\nhost: x\r\n\r\n", 505},
        BadRequest{"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        BadRequest{"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
        BadRequest{"TwoHosts", "GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n", 400},
        BadRequest{"TwoHostsInOne", "GET / HTTP/1.1\r\nhost: x, y\r\n\r\n", 400},
        BadRequest{"EmptyHost", "GET / HTTP/1.1\r\nhost:\r\n\r\n", 400},
        BadRequest{"HostWithPath", "GET / HTTP/1.1\r\nhost: x/y\r\n\r\n", 400},
        BadRequest{"FoldedLine", "GET / HTTP/1.1\r\nhost: x\r\na: b\r\n c\r\n\r\n", 400},
        BadRequest{"FoldedLength", HEAD_LINES "content-length:\r\n 3\r\n\r\nabc", 400},
        BadRequest{"FoldedCoding", HEAD_LINES "transfer-encoding:\r\n\tchunked\r\n\r\n0\r\n\r\n", 400},
        BadRequest{"RelativeTarget", "GET a HTTP/1.1\r\nhost: x\r\n\r\n", 400},
        BadRequest{"OnlyAQuery", "GET ?a HTTP/1.1\r\nhost: x\r\n\r\n", 400},
        BadRequest{"AnotherHostInTheTarget", "GET http://y/ HTTP/1.1\r\nhost: x\r\n\r\n", 400},
        BadRequest{"AnotherPortInTheTarget", "GET http://x:1/ HTTP/1.1\r\nhost: x\r\n\r\n", 400},
        BadRequest{"AnotherHostAfterTheTarget", "GET http://x HTTP/1.1\r\nhost: y\r\n\r\n", 400},
        BadRequest{"UserInTheTarget", "GET http://a@x/ HTTP/1.1\r\nhost: x\r\n\r\n", 400},
        BadRequest{"NoHostInTheTarget", "GET http:///a HTTP/1.1\r\nhost: x\r\n\r\n", 400},
        BadRequest{"BadEscape", "GET /%zz HTTP/1.1\r\nhost: x\r\n\r\n", 400},
        BadRequest{"NulInPath", "GET /%00 HTTP/1.1\r\nhost: x\r\n\r\n", 400},
        BadRequest{"Connect", "CONNECT x:80 HTTP/1.1\r\nhost: x\r\n\r\n", 400},
        BadRequest{"SpaceBeforeColon", HEAD_LINES "content-length : 3\r\n\r\nabc", 400},
        BadRequest{"NoColon", "GET / HTTP/1.1\r\nhost: x\r\nnothing\r\n\r\n", 400},
        BadRequest{"LeadingSpace", "GET / HTTP/1.1\r\n host: x\r\n\r\n", 400},
        BadRequest{"BareLineFeed", "GET / HTTP/1.1\nhost: x\n\n", 505},
        BadRequest{"BareLineFeedInHeader", "GET / HTTP/1.1\r\nhost: x\nx: y\r\n\r\n", 400},
        BadRequest{"CarriageReturnInValue", "GET / HTTP/1.1\r\nhost: x\ry\r\n\r\n", 400},
        BadRequest{"NulInValue", std::string_view("GET / HTTP/1.1\r\nhost: x\0y\r\n\r\n", 29), 400},
        BadRequest{"LengthAndChunked", HEAD_LINES "content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
                   400},
        BadRequest{"ChunkedAndLength", HEAD_LINES "transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n",
                   400},
        BadRequest{"TwoLengths", HEAD_LINES "content-length: 3\r\ncontent-length: 4\r\n\r\nabcd", 400},
        BadRequest{"TwoEqualLengths", HEAD_LINES "content-length: 3\r\ncontent-length: 3\r\n\r\nabc", 400},
        BadRequest{"LengthList", HEAD_LINES "content-length: 3, 3\r\n\r\nabc", 400},
        BadRequest{"NegativeLength", HEAD_LINES "content-length: -3\r\n\r\nabc", 400},
        BadRequest{"SignedLength", HEAD_LINES "content-length: +3\r\n\r\nabc", 400},
        BadRequest{"HexLength", HEAD_LINES "content-length: 0x3\r\n\r\nabc", 400},
        BadRequest{"EmptyLength", HEAD_LINES "content-length:\r\n\r\n", 400},
        BadRequest{"HugeLength", HEAD_LINES "content-length: 99999999999999999999999\r\n\r\n", 400},
        BadRequest{"LengthOverLimit", HEAD_LINES "content-length: 18446744073709551615\r\n\r\n", 413},
        BadRequest{"OtherCoding", HEAD_LINES "transfer-encoding: gzip\r\n\r\nabc", 501},
        BadRequest{"CodingList", HEAD_LINES "transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
        BadRequest{"ChunkedNotLast", HEAD_LINES "transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501},
        BadRequest{"TwoCodings",
                   HEAD_LINES "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n", 400},
        BadRequest{"VerticalTabInCoding",
                   HEAD_LINES "transfer-encoding: \x0b"
                              "chunked\r\n\r\n0\r\n\r\n",
                   400},
        BadRequest{"Chunked10", "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        BadRequest{"ChunkSizeNotHex", HEAD_LINES "transfer-encoding: chunked\r\n\r\nxyz\r\n", 400},
        BadRequest{"ChunkSizeNegative", HEAD_LINES "transfer-encoding: chunked\r\n\r\n-1\r\n", 400},
        BadRequest{"ChunkSizeOverflow", HEAD_LINES "transfer-encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n",
                   400},
        BadRequest{"ChunkTooLong", HEAD_LINES "transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\nabc\r\n", 413},
        BadRequest{"ChunkWithoutEnd", HEAD_LINES "transfer-encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400},
        BadRequest{"LengthInTrailer", HEAD_LINES "transfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 3\r\n\r\n",
                   400}),
    [](const auto& test) { return std::string(test.param.name); });
#undef HEAD_LINES

TEST_F(RequestTest, BoundsChunkExtensions) {
  serve();
  RawClient raw = client();
  raw.send("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3;a=");
  for (int i = 0; i < 40 && raw.send(std::string(1000, 'x')); ++i) {
  }
  EXPECT_EQ(raw.read_reply().status, 400);
}

TEST_F(RequestTest, TakesTheAbsoluteForm) {
  serve();
  EXPECT_EQ(ask("GET http://X:1/b?c HTTP/1.1\r\nhost: x:1\r\n\r\n").body, "GET /b ");
  EXPECT_EQ(ask("GET http://x HTTP/1.1\r\nhost: x\r\n\r\n").body, "GET / ");
  EXPECT_EQ(ask("GET http://x?c HTTP/1.1\r\nhost: x\r\n\r\n").body, "GET / ");
  EXPECT_EQ(ask("OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n").body, "OPTIONS * ");
}

}  // namespace
}  // namespace cloister::http
