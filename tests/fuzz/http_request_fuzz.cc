// HTTP requests. The first byte sets the size of the pieces in which the rest is given. For every size, the resulting
// request equals the one from all bytes at once, and keeps the promises to a handler.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/hash.h"
#include "fuzz.h"
#include "http/request_reader.h"

namespace {

using namespace cloister;
using http::RequestReader;

constexpr std::size_t kHeaderLimit = 2048;
constexpr std::uint64_t kBodyLimit = 256;
constexpr std::size_t kMostWaiting = 8u << 10;  // a chunk line

struct Outcome {
  RequestReader::Event event = RequestReader::Event::kNeedMore;
  std::optional<http::Request> request;
  std::size_t used = 0;
};

// The loop works as the connection does: unused bytes are given again with more bytes after them.
Outcome read(std::string_view bytes, std::size_t piece) {
  RequestReader reader(kHeaderLimit);
  Outcome out;
  std::string waiting;
  while (!bytes.empty()) {
    waiting += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (!waiting.empty()) {
      const RequestReader::Progress progress = reader.feed(waiting);
      FUZZ_CHECK(progress.used <= waiting.size());
      waiting.erase(0, progress.used);
      out.used += progress.used;
      out.event = progress.event;
      if (out.event == RequestReader::Event::kHeadDone) {
        reader.set_body_limit(kBodyLimit);
        if (!reader.complete()) continue;
        out.event = RequestReader::Event::kDone;
      }
      if (out.event == RequestReader::Event::kNeedMore) break;
      if (out.event == RequestReader::Event::kPaused) continue;
      if (out.event == RequestReader::Event::kRefused) {
        FUZZ_CHECK(reader.refusal_status() >= 400 && reader.refusal_status() < 600 && !reader.refusal_text().empty());
      } else {
        out.request = reader.take();
      }
      return out;
    }
  }
  // A peer that sends without end is refused before the waiting bytes exceed the limits.
  FUZZ_CHECK(waiting.size() <= kMostWaiting);
  return out;
}

void check_request(const http::Request& request) {
  FUZZ_CHECK(request.path == "*" || request.path.starts_with('/'));
  for (const char c : request.path) FUZZ_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  FUZZ_CHECK(request.body.size() <= kBodyLimit);
  FUZZ_CHECK(request.body_sha256 == crypto::sha256(as_bytes(request.body)));
  for (const auto& [name, value] : request.headers) {
    FUZZ_CHECK(!name.empty());
    for (const char c : name) FUZZ_CHECK(!(c >= 'A' && c <= 'Z') && c > ' ' && c != ':');
    FUZZ_CHECK(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  }
}

}  // namespace

FUZZ_TARGET(input) {
  if (input.empty()) return;
  const std::string_view bytes = as_text(input.subspan(1));
  const Outcome whole = read(bytes, std::max<std::size_t>(bytes.size(), 1));
  const Outcome pieces = read(bytes, 1 + input[0] % 64u);
  // With fewer bytes at hand a fault may be seen earlier, or not yet. But no request is read in two ways.
  FUZZ_CHECK(whole.request.has_value() == pieces.request.has_value());
  if (!whole.request) return;
  FUZZ_CHECK(whole.used == pieces.used);
  check_request(*whole.request);
  const http::Request &a = *whole.request, &b = *pieces.request;
  FUZZ_CHECK(a.method == b.method && a.path == b.path && a.query == b.query && a.headers == b.headers &&
             a.body == b.body && a.body_sha256 == b.body_sha256);
}
