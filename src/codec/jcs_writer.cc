#include "codec/jcs_writer.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "codec/jcs.h"

namespace cloister::codec {
namespace {

bool stands_for_itself(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

}  // namespace

void JcsWriter::separate() {
  if (!std::exchange(first_, false)) out_.push_back(',');
}

JcsWriter& JcsWriter::open(char bracket) {
  separate();
  out_.push_back(bracket);
  first_ = true;
  return *this;
}

JcsWriter& JcsWriter::close(char bracket) {
  out_.push_back(bracket);
  first_ = false;
  return *this;
}

JcsWriter& JcsWriter::name(std::string_view name) {
  separate();
  out_.append("\"").append(name).append("\":");
  first_ = true;
  return *this;
}

JcsWriter& JcsWriter::text(std::string_view text) {
  // All other texts are rare: they go through the tree, so that only one place knows how texts are escaped and checked.
  if (!std::ranges::all_of(text, stands_for_itself)) return value_of(Json(text));
  separate();
  out_.append("\"").append(text).append("\"");
  return *this;
}

JcsWriter& JcsWriter::hex(std::string_view prefix, ByteView bytes) {
  separate();
  out_.append("\"").append(prefix);
  append_hex(out_, bytes);
  out_.append("\"");
  return *this;
}

JcsWriter& JcsWriter::boolean(bool value) {
  separate();
  out_.append(value ? "true" : "false");
  return *this;
}

JcsWriter& JcsWriter::null() {
  separate();
  out_.append("null");
  return *this;
}

JcsWriter& JcsWriter::value_of(const Json& value) {
  separate();
  const Result<std::string> text = write_jcs(value);
  if (text) {
    out_.append(*text);
  } else if (state_) {
    state_ = text.error();
  }
  return *this;
}

Result<std::string> JcsWriter::finish() && {
  if (!state_) return state_.error();
  return std::move(out_);
}

}  // namespace cloister::codec
