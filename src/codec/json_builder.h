// Private to codec: turns the events of a JSON parser into a value, within limits.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "codec/json.h"

namespace cloister::codec {

// Builds the value from the parser's events and stops at the first breach of the limits.
class JsonBuilder {
 public:
  explicit JsonBuilder(const JsonLimits& limits) : limits_(limits) {}

  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(std::int64_t value) { return add(value); }
  bool number_unsigned(std::uint64_t value) { return add(value); }
  bool number_float(double value, const std::string&) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(Json::binary_t&) { return refuse("binary values are not JSON"); }
  // `count` is the number of members or items that follow, as far as the parser knows; otherwise any huge number.
  bool start_object(std::size_t count) {
    Json object = Json::object();
    if (count <= kMostReserved) object.get_ref<Json::object_t&>().reserve(count);
    return open(std::move(object));
  }
  bool start_array(std::size_t count) {
    Json array = Json::array();
    if (count <= kMostReserved) array.get_ref<Json::array_t&>().reserve(count);
    return open(std::move(array));
  }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) { return key(std::move(name)); }
  bool key(std::string&& name) {
    if (has_member(open_.back(), name)) return refuse("an object has two members of the same name");
    name_ = std::move(name);
    return true;
  }

  // Called by the parser. Its own exception text quotes the input, so only the position is used.
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& cause) {
    constexpr int kNumberOutOfRange = 406;
    return refuse((cause.id == kNumberOutOfRange ? "number out of range at byte " : "not valid JSON at byte ") +
                  std::to_string(position));
  }

  Json take() { return std::move(root_); }
  const std::string& complaint() const { return complaint_; }

 private:
  static constexpr std::size_t kMostReserved = 256;

  struct Level {
    Json* value;
    std::set<std::string> names;  // ordered, so that its time does not depend on hashes that an attacker can choose
  };

  // Remembers the name as well. Most objects are small, and searching them is cheaper than a set.
  static bool has_member(Level& level, const std::string& name) {
    constexpr std::size_t kSmall = 16;
    const Json::object_t::Container& members = level.value->get_ref<Json::object_t&>();
    if (members.size() < kSmall) {
      return std::any_of(members.begin(), members.end(), [&](const auto& member) { return member.first == name; });
    }
    if (level.names.empty()) {
      for (const auto& member : members) level.names.insert(member.first);
    }
    return !level.names.insert(name).second;
  }

  bool refuse(std::string complaint) {
    complaint_ = std::move(complaint);
    return false;
  }

  bool add(Json value) { return place(std::move(value)) != nullptr; }

  Json* place(Json value) {
    if (++values_ > limits_.max_values) {
      wipe(value);  // the value may be a secret, and is not in the tree that the reader of secrets wipes
      refuse("more than " + std::to_string(limits_.max_values) + " values");
      return nullptr;
    }
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back().value;
    if (parent.is_array()) {
      auto& items = parent.get_ref<Json::array_t&>();
      items.push_back(std::move(value));
      return &items.back();
    }
    // Bypasses the map's own insertion, which searches all members for the name that key() has already looked up.
    Json::object_t::Container& members = parent.get_ref<Json::object_t&>();
    members.emplace_back(std::move(name_), std::move(value));
    return &members.back().second;
  }

  bool open(Json value) {
    if (open_.size() == limits_.max_depth) {
      return refuse("nested deeper than " + std::to_string(limits_.max_depth) + " levels");
    }
    Json* placed = place(std::move(value));
    if (placed == nullptr) return false;
    open_.push_back({placed, {}});
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  const JsonLimits limits_;
  Json root_;
  std::vector<Level> open_;
  std::string name_;
  std::size_t values_ = 0;
  std::string complaint_;
};

}  // namespace cloister::codec
