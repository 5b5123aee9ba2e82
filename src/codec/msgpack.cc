#include "codec/msgpack.h"

#include <string>

#include "codec/utf8.h"

namespace cloister::codec {
namespace {

Error bad(const std::string& what) { return fail(ErrorCode::kBadReport, "MessagePack: " + what); }

class Reader {
 public:
  Reader(ByteView bytes, const MsgpackLimits& limits) : bytes_(bytes), limits_(limits) {}

  bool ended() const { return at_ == bytes_.size(); }

  Result<Json> value(std::size_t depth) {
    if (depth > limits_.max_depth) return bad("it is nested too deeply");
    if (++values_ > limits_.max_values) return bad("it has too many values");
    TRY(head, number(1));
    const auto tag = static_cast<std::uint8_t>(head);
    if (tag < 0x80) return Json(static_cast<std::uint64_t>(tag));
    if (tag < 0x90) return map(tag & 0x0fu, depth);
    if (tag < 0xa0) return array(tag & 0x0fu, depth);
    if (tag < 0xc0) return text(tag & 0x1fu);
    if (tag >= 0xe0) return Json(static_cast<std::int64_t>(static_cast<std::int8_t>(tag)));
    return tagged(tag, depth);
  }

 private:
  Result<Json> tagged(std::uint8_t tag, std::size_t depth) {
    switch (tag) {
      case 0xc0: return Json(nullptr);
      case 0xc2: return Json(false);
      case 0xc3: return Json(true);
      case 0xc4:
      case 0xc5:
      case 0xc6: return sized(1u << (tag - 0xc4), &Reader::binary);
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf: return whole(1u << (tag - 0xcc));
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3: return signed_whole(1u << (tag - 0xd0));
      case 0xd9:
      case 0xda:
      case 0xdb: return sized(1u << (tag - 0xd9), &Reader::text);
      case 0xdc:
      case 0xdd: {
        TRY(count, number(tag == 0xdc ? 2 : 4));
        return array(count, depth);
      }
      case 0xde:
      case 0xdf: {
        TRY(count, number(tag == 0xde ? 2 : 4));
        return map(count, depth);
      }
      default: return bad("a value of a type that is not read here");
    }
  }

  Result<ByteView> take(std::uint64_t size) {
    if (size > bytes_.size() - at_) return bad("it ends early");
    const ByteView out = bytes_.subspan(at_, static_cast<std::size_t>(size));
    at_ += static_cast<std::size_t>(size);
    return out;
  }

  Result<std::uint64_t> number(std::size_t size) {
    TRY(bytes, take(size));
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes) value = value << 8 | byte;
    return value;
  }

  Result<Json> whole(std::size_t size) {
    TRY(value, number(size));
    return Json(value);
  }

  Result<Json> signed_whole(std::size_t size) {
    TRY(value, number(size));
    const std::size_t unused = 64 - 8 * size;
    return Json(static_cast<std::int64_t>(value << unused) >> unused);
  }

  using Body = Result<Json> (Reader::*)(std::uint64_t);
  Result<Json> sized(std::size_t size, Body body) {
    TRY(count, number(size));
    return (this->*body)(count);
  }

  Result<Json> text(std::uint64_t size) {
    TRY(bytes, take(size));
    if (!is_utf8(bytes)) return bad("a text that is not UTF-8");
    return Json(std::string(as_text(bytes)));
  }

  Result<Json> binary(std::uint64_t size) {
    TRY(bytes, take(size));
    return Json::binary({bytes.begin(), bytes.end()});
  }

  // No memory is reserved, since the sender chose the count.
  Result<Json> array(std::uint64_t count, std::size_t depth) {
    Json out = Json::array();
    for (std::uint64_t i = 0; i < count; ++i) {
      TRY(element, value(depth + 1));
      out.push_back(std::move(element));
    }
    return out;
  }

  Result<Json> map(std::uint64_t count, std::size_t depth) {
    constexpr std::uint64_t kMostMembers = 256;  // the names are compared with each other
    if (count > kMostMembers) return bad("a map with too many members");
    Json out = Json::object();
    for (std::uint64_t i = 0; i < count; ++i) {
      TRY(name, value(depth + 1));
      if (!name.is_string()) return bad("a name that is no text");
      TRY(member, value(depth + 1));
      if (out.contains(name.get_ref<const std::string&>())) return bad("one name twice");
      out[name.get_ref<const std::string&>()] = std::move(member);
    }
    return out;
  }

  ByteView bytes_;
  MsgpackLimits limits_;
  std::size_t at_ = 0;
  std::size_t values_ = 0;
};

}  // namespace

Result<Json> parse_msgpack(ByteView bytes, const MsgpackLimits& limits) {
  Reader reader(bytes, limits);
  TRY(value, reader.value(0));
  if (!reader.ended()) return bad("bytes behind the value");
  return value;
}

}  // namespace cloister::codec
