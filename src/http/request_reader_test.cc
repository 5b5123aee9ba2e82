// However the bytes of a request are split, the outcome is the same; and no bytes at all do harm.
#include "http/request_reader.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace cloister::http {
namespace {

constexpr std::size_t kHeaderLimit = 2048;
constexpr std::uint64_t kBodyLimit = 64;

struct Outcome {
  RequestReader::Event event = RequestReader::Event::kNeedMore;
  int status = 0;
  Request request;
  std::size_t used = 0;  // bytes of this request
};

// Passes `bytes` in pieces that end at `cuts`, as the connection does: unused bytes are passed again.
Outcome read(std::string_view bytes, const std::vector<std::size_t>& cuts) {
  RequestReader reader(kHeaderLimit);
  Outcome out;
  std::string waiting;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t to = i < cuts.size() ? cuts[i] : bytes.size();
    waiting += bytes.substr(from, to - from);
    from = to;
    while (!waiting.empty()) {
      const RequestReader::Progress progress = reader.feed(waiting);
      EXPECT_LE(progress.used, waiting.size());
      waiting.erase(0, progress.used);
      out.used += progress.used;
      out.event = progress.event;
      if (progress.event == RequestReader::Event::kNeedMore) break;
      if (progress.event == RequestReader::Event::kPaused) continue;
      if (progress.event == RequestReader::Event::kHeadDone) {
        reader.set_body_limit(kBodyLimit);
        if (!reader.complete()) continue;
        out.event = RequestReader::Event::kDone;
      }
      if (out.event == RequestReader::Event::kDone) {
        out.request = reader.take();
      } else {
        out.status = reader.refusal_status();
        out.used = 0;  // how far it got before it saw the fault depends on the cuts
      }
      return out;
    }
  }
  return out;
}

const std::vector<std::string>& seeds() {
  static const std::vector<std::string> all = {
      "GET /a%20b?c=d HTTP/1.1\r\nhost: x\r\nX-Y:  z \r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello worldGET / HTTP/1.1\r\n",
      "POST / HTTP/1.1\r\nhost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;x=\"y\"\r\nhello\r\n0006\r\n "
      "world\r\n0\r\nA: b\r\n\r\nrest",
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nff\r\n",
      "GET / HTTP/1.0\r\nconnection: keep-alive\r\nx: folded\r\n value\r\n\r\n",
      "GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\nz",
      "\x16\x03\x01\r\n\r\n",
  };
  return all;
}

void expect_same(const Outcome& a, const Outcome& b, std::string_view bytes) {
  EXPECT_EQ(a.event, b.event) << bytes;
  EXPECT_EQ(a.status, b.status) << bytes;
  EXPECT_EQ(a.used, b.used) << bytes;
  EXPECT_EQ(a.request.path, b.request.path) << bytes;
  EXPECT_EQ(a.request.headers, b.request.headers) << bytes;
  EXPECT_EQ(a.request.body, b.request.body) << bytes;
  EXPECT_EQ(a.request.body_sha256, b.request.body_sha256) << bytes;
}

TEST(RequestReader, DoesNotMindWhereTheBytesAreCut) {
  for (const std::string& seed : seeds()) {
    const Outcome whole = read(seed, {});
    for (std::size_t first = 1; first < seed.size(); ++first) {
      expect_same(whole, read(seed, {first}), seed);
      expect_same(whole, read(seed, {first, std::min(first + 2, seed.size())}), seed);
    }
    std::vector<std::size_t> every;
    for (std::size_t at = 1; at < seed.size(); ++at) every.push_back(at);
    expect_same(whole, read(seed, every), seed);
  }
}

TEST(RequestReader, TakesAnyBytes) {
  std::mt19937 random(20240607);
  const std::string_view alphabet = "\r\n :;,0123456789abcfGETHTP/1.\t\"\0\x7f\xff";
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = seeds()[random() % seeds().size()];
    const unsigned changes = 1 + random() % 4;
    for (unsigned i = 0; i < changes; ++i) {
      const std::size_t at = random() % bytes.size();
      const char c = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0: bytes[at] = c; break;
        case 1: bytes.insert(at, 1, c); break;
        default: bytes.erase(at, 1 + random() % 3); break;
      }
      if (bytes.empty()) bytes = "G";
    }
    const Outcome whole = read(bytes, {});
    const std::size_t cut = random() % bytes.size();
    const Outcome pieces = read(bytes, {cut});
    // A fault may be seen early or, with fewer bytes, not yet: but the bytes are never read differently.
    if (whole.event == RequestReader::Event::kDone) expect_same(whole, pieces, bytes);
  }
}

TEST(RequestReader, BoundsTheHeader) {
  const std::string head = "GET / HTTP/1.1\r\nhost: x\r\nx: ";
  EXPECT_EQ(read(head + std::string(kHeaderLimit - head.size() - 4, 'x') + "\r\n\r\n", {}).event,
            RequestReader::Event::kDone);
  for (const std::size_t size : {kHeaderLimit - head.size() - 3, kHeaderLimit, std::size_t{100000}}) {
    EXPECT_EQ(read(head + std::string(size, 'x') + "\r\n\r\n", {}).status, 431) << size;
  }
  // A head without an end is refused as soon as it is too large.
  EXPECT_EQ(read(head + std::string(kHeaderLimit, 'x'), {500}).status, 431);
}

}  // namespace
}  // namespace cloister::http
