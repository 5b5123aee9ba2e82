#include "codec/reply_words.h"

#include <algorithm>

#include "codec/jcs.h"

namespace cloister::codec {
namespace {

// The kinds of words, in the order of kPlaces.
constexpr std::size_t kIds = 3, kModels = 6, kOpeningUsage = 8, kUsages = 9;
constexpr JsonOutline::Watch kPlaces[] = {{"", "id"},
                                          {"response", "id"},
                                          {"message", "id"},
                                          {"", "model"},
                                          {"response", "model"},
                                          {"message", "model"},
                                          {"", "usage"},
                                          {"response", "usage"},
                                          {"message", "usage"},
                                          {"choices", "finish_reason", true},
                                          {"", "stop_reason"},
                                          {"delta", "stop_reason"}};
static_assert(std::size(kPlaces) <= JsonOutline::kMaxWatches);
constexpr std::string_view kData = "data:", kDone = "[DONE]", kByteOrderMark = "\xef\xbb\xbf";
constexpr std::size_t kLongestId = 256;

bool fits_a_path(const std::string& id) {
  return !id.empty() && id.size() <= kLongestId &&
         std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c <= '~' && c != '/'; });
}

bool is_plain(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool is_valid_text(const std::string& text) { return is_plain(text) || write_jcs(Json(text)); }

}  // namespace

ReplyWords::ReplyWords(bool events) : events_(events), outline_(kPlaces) {}

void ReplyWords::feed(std::string_view bytes) {
  if (ambiguous_) return;
  if (events_) return feed_events(bytes);
  feed_object(bytes);
  if (outline_.broken() || outline_.malformed()) {
    ambiguous_ = begun_;
  } else if (!taken_ && outline_.whole()) {
    taken_ = true;
    take_object();
  }
}

// What does not begin as an object says nothing, such as sound. What begins as one and is none has no reading.
void ReplyWords::feed_object(std::string_view bytes) {
  outline_.feed(bytes);
  begun_ = begun_ || outline_.begun();
}

// An event repeats what those before it have said, or says more.
void ReplyWords::take_one(std::string& word, const std::string& found) {
  if (word.empty()) {
    word = found;
  } else if (word != found) {
    ambiguous_ = true;
  }
}

// A server may leave the model blank until it knows it, as Azure's does in its first event. Any other value that is no name is
// another model than those that are named, as is a blank behind a name.
void ReplyWords::take_model() {
  bool blank = false;
  for (std::size_t i = kIds; i < kModels; ++i) {
    const std::string& text = outline_.text(i);
    if (!text.empty() && is_valid_text(text)) {
      take_one(model_, text);
    } else if (outline_.has(i)) {
      (outline_.blank(i) ? blank : no_name_) = true;
    }
  }
  if ((blank || no_name_) && !model_.empty()) ambiguous_ = true;
}

void ReplyWords::take_object() {
  if (outline_.ambiguous()) {
    ambiguous_ = true;
    return;
  }
  take_model();
  for (std::size_t i = 0; i < kIds; ++i) {
    if (id_.empty() && fits_a_path(outline_.text(i))) id_ = outline_.text(i);
  }
  const std::string* usage = nullptr;
  for (std::size_t i = kModels; i < std::size(kPlaces); ++i) {
    const std::string& text = outline_.text(i);
    if (i < kUsages) {
      const std::string& object = outline_.object(i);
      if (object.empty() && !outline_.too_large(i)) continue;
      if (events_ && i == kOpeningUsage) take_one(opening_usage_, object);
      // Other events have other counts; one object has one.
      if (usage != nullptr && *usage != object) ambiguous_ = true;
      usage = &object;
    } else if (!text.empty()) {
      reason_ = text;
    }
  }
  if (usage != nullptr) usage_ = *usage;
}

// Clients stop reading at "[DONE]", whatever else stands in its line. What follows says something to others only, as do objects
// behind something else, which some clients strip.
void ReplyWords::take_data(std::string_view text) {
  feed_object(text);
  if (!begun_ && text.find('{') != std::string_view::npos) ambiguous_ = true;
  for (const char c : text) {
    if (done_mark_ >= kDone.size()) return;
    if (done_mark_ == 0 && static_cast<unsigned char>(c) <= ' ') continue;
    if (done_) ambiguous_ = true;
    done_mark_ = c == kDone[done_mark_] ? done_mark_ + 1 : kDone.size() + 1;
    if (done_mark_ == kDone.size()) done_ = true;
  }
}

void ReplyWords::end_event() {
  if (begun_) {
    if (outline_.whole() && !outline_.malformed()) {
      take_object();
    } else {
      ambiguous_ = true;
    }
  }
  outline_.reset();
  begun_ = false;
}

// An empty line ends the event; the lines of its data are one text (WHATWG HTML, section 9.2.6).
void ReplyWords::feed_events(std::string_view bytes) {
  while (!stream_begun_ && !bytes.empty()) {
    if (byte_mark_ < kByteOrderMark.size() && bytes.front() == kByteOrderMark[byte_mark_]) {
      ++byte_mark_;
      bytes.remove_prefix(1);
      continue;
    }
    stream_begun_ = true;
    // A part of a mark is the beginning of some field's name.
    other_field_ = byte_mark_ != 0 && byte_mark_ != kByteOrderMark.size();
  }
  while (!bytes.empty() && !ambiguous_) {
    const SseLines::Part part = lines_.next(bytes);
    std::string_view text = bytes.substr(0, part.text);
    bytes.remove_prefix(part.size);
    while (!text.empty() && !other_field_ && prefix_ < kData.size()) {
      if (text.front() == kData[prefix_]) {
        ++prefix_;
        text.remove_prefix(1);
      } else {
        other_field_ = true;
      }
    }
    const bool is_data = prefix_ == kData.size() && !other_field_;
    if (is_data && !text.empty()) take_data(text);
    if (!part.ends) continue;
    if (is_data) feed_object("\n");
    if (prefix_ == 0 && !other_field_) end_event();
    prefix_ = done_mark_ = 0;
    other_field_ = false;
  }
}

}  // namespace cloister::codec
