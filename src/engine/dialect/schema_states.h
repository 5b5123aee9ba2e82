// SchemaStates: finds whether the number of ways in which a grammar can read the beginning of a text is bounded. The
// library keeps each way apart, and tries each token of the vocabulary with each. Two alternatives that can begin alike
// are two ways until the text tells them apart; where their values are such alternatives again, and nothing has told
// the outer ones apart before, the ways multiply with each level: 2, 4, 8 ... docs/spec/structured-output.md.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace cloister::engine {

// Made for one schema, as the library reads it. Not thread-safe.
class SchemaStates {
 public:
  // `root` outlives this object, and does not change.
  explicit SchemaStates(const Json& root) : root_(root) {}

  struct Ambiguous {
    std::vector<std::string> at;  // the tokens of a JSON pointer
    std::string keyword;          // of the alternatives there
  };
  // Returns the alternatives that multiply without a bound, or beyond the depth that is searched; absent where there are none.
  std::optional<Ambiguous> find();

 private:
  // One alternative, without references and choices. Kinds other than these have nothing inside to read.
  enum class Kind { kObject, kArray, kAny, kOther };
  struct Way {
    Kind kind = Kind::kOther;
    const Json* node = nullptr;
    const Json* choice = nullptr;  // where it is an alternative
    friend bool operator<(const Way& a, const Way& b) { return std::pair(a.kind, a.node) < std::pair(b.kind, b.node); }
    friend bool operator==(const Way& a, const Way& b) { return a.kind == b.kind && a.node == b.node; }
  };
  // Several alternatives, any of which the text may still be; one may occur more than once, as values of different alternatives.
  using Ways = std::vector<Way>;
  struct Property {
    std::string name;
    const Json* value;
  };
  struct Object {
    std::vector<Property> properties;  // in the order in which they occur in the text: required ones first
    std::size_t required = 0;
    const Json* others = nullptr;  // schema of further properties; null: there are none
  };
  struct Place {
    const Object* object;
    std::size_t next;  // the first of its properties that may come next
    const Json* value = nullptr;
    auto key() const { return std::pair(object, next); }
  };
  using Places = std::vector<Place>;

  void flatten(const Json& node, const Json* choice, int depth, Ways& out);
  // Begins a value that may be any of these.
  void begin(const std::vector<const Json*>& values);
  void look_into_arrays(const Ways& arrays);
  void look_into_objects(const Ways& objects);
  void walk(Places places);
  Places takers(const Places& places, const std::string& name) const;
  std::vector<Places> split(const Places& places);
  const Object& object_of(const Way& way);
  void add_properties(const Json& node, bool required, int depth, std::vector<Property>& must,
                      std::vector<Property>& may);
  const Json* target(const Json& reference) const;
  bool spend(std::size_t work);

  const Json& root_;
  const Json any_ = Json::object();
  std::size_t work_ = 0;
  bool too_much_ = false;
  const Json* culprit_ = nullptr;  // the last choice that was seen when the limit was exceeded
  std::vector<Ways> left_;
  std::set<std::vector<std::pair<int, const Json*>>> seen_;
  std::set<std::vector<std::pair<const Object*, std::size_t>>> walked_;
  std::map<const Json*, Object> objects_;
};

}  // namespace cloister::engine
