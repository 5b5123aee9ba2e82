#include "codec/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>

namespace cloister::codec {
namespace {

// 15: the largest window, 32 KiB. 16 more: only the gzip wrapper, whose checksum and length zlib then compares.
constexpr int kGzipWindow = 15 + 16;

Error bad(const std::string& what) { return fail(ErrorCode::kBadReport, "gzip: " + what); }

// One stream, which ends with its object.
class Inflater {
 public:
  Inflater() : state_(inflateInit2(&stream_, kGzipWindow)) {}
  ~Inflater() {
    if (state_ == Z_OK) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  Result<Bytes> run(ByteView packed, std::size_t limit) {
    if (state_ != Z_OK) return bad("zlib could not be started");
    if (packed.size() > std::numeric_limits<uInt>::max()) return bad("the text is too long");
    stream_.next_in = const_cast<Bytef*>(packed.data());  // zlib's type lacks the const; zlib only reads
    stream_.avail_in = static_cast<uInt>(packed.size());
    Bytes content;
    std::array<std::uint8_t, 16 * 1024> part;
    for (int status = Z_OK; status != Z_STREAM_END;) {
      stream_.next_out = part.data();
      stream_.avail_out = static_cast<uInt>(part.size());
      status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_BUF_ERROR) return bad("the text ends early");
      if (status != Z_OK && status != Z_STREAM_END) return bad(stream_.msg == nullptr ? "damaged" : stream_.msg);
      const std::size_t got = part.size() - stream_.avail_out;
      if (got > limit - content.size()) return bad("the content has more than " + std::to_string(limit) + " bytes");
      append(content, ByteView(part).first(got));
    }
    // Another member, or any other bytes.
    if (stream_.avail_in != 0) return bad(std::to_string(stream_.avail_in) + " bytes stand behind the end");
    return content;
  }

 private:
  z_stream stream_{};
  int state_;
};

}  // namespace

Result<Bytes> unpack_gzip(ByteView packed, std::size_t limit) { return Inflater().run(packed, limit); }

}  // namespace cloister::codec
