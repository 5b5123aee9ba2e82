#include "codec/reply_id.h"

#include <algorithm>

#include "codec/jcs.h"

namespace cloister::codec {
namespace {

constexpr JsonOutline::Watch kPlaces[] = {{"", "id"},    {"response", "id"},    {"message", "id"},
                                           {"", "model"}, {"response", "model"}, {"message", "model"}};
constexpr std::size_t kPlacesOfIds = 3;
static_assert(std::size(kPlaces) <= JsonOutline::kMaxWatches);
constexpr std::string_view kData = "data:";
constexpr std::size_t kLongestId = 256;

bool fits_a_path(const std::string& id) {
  return !id.empty() && id.size() <= kLongestId &&
         std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c <= '~' && c != '/'; });
}

}  // namespace

ReplyId::ReplyId(bool events)
    : events_(events), left_(events ? kEventsLimitBytes : kBufferedLimitBytes), outline_(kPlaces) {}

void ReplyId::feed(std::string_view bytes) {
  if (done_) return;
  bytes = bytes.substr(0, left_);
  left_ -= bytes.size();
  if (events_) {
    feed_events(bytes);
  } else {
    outline_.feed(bytes);
    look();
    done_ = done_ || outline_.broken() || outline_.whole();
  }
  done_ = done_ || left_ == 0;
}

void ReplyId::look() {
  for (std::size_t i = 0; i < std::size(kPlaces); ++i) {
    const std::string& text = outline_.text(i);
    if (i < kPlacesOfIds) {
      if (id_.empty() && fits_a_path(text)) id_ = text;
    } else if (model_.empty() && !text.empty() && write_jcs(Json(text))) {
      model_ = text;
    }
  }
  done_ = !id_.empty() && !model_.empty();
}

// Lines end with \n, \r or both (WHATWG HTML section 9.2.6); an empty line ends the event.
void ReplyId::feed_events(std::string_view bytes) {
  while (!bytes.empty() && !done_) {
    const char c = bytes.front();
    if (c == '\n' || c == '\r') {
      const bool second = c == '\n' && after_return_;
      after_return_ = c == '\r';
      bytes.remove_prefix(1);
      if (second) continue;
      if (prefix_ == 0 && !other_field_) outline_ = JsonOutline(kPlaces);
      if (prefix_ == kData.size()) outline_.feed("\n");
      prefix_ = 0;
      other_field_ = false;
      continue;
    }
    after_return_ = false;
    if (!other_field_ && prefix_ < kData.size()) {
      if (c == kData[prefix_]) {
        ++prefix_;
      } else {
        other_field_ = true;
      }
      bytes.remove_prefix(1);
      continue;
    }
    const std::size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    if (!other_field_) {
      outline_.feed(bytes.substr(0, end));
      look();
    }
    bytes.remove_prefix(end);
  }
}

}  // namespace cloister::codec
