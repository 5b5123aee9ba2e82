// SchemaPass: reads one schema node by node and finds what its keywords cost, and whether the engine's grammar follows
// them (engine/dialect/schema_rules.h). Nodes are named by JSON pointers and not by addresses, since rewriting a node
// moves its members.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace cloister::engine {

class SchemaPass {
 public:
  using Pointer = std::vector<std::string>;

  struct Costs {
    std::size_t nodes = 0;
    std::size_t alternatives = 0;
    std::size_t repetitions = 0;  // elements of bounded repetitions, written out
  };

  // `schema` and `costs` outlive this object.
  SchemaPass(Json& schema, std::string where, bool strict, Costs& costs);
  Result<void> run();

  // The references that were followed, by their text, and what each pointed to before it was rewritten.
  const std::vector<std::pair<std::string, Json>>& references() const { return references_; }
  // An Error about a keyword at a node.
  Error refuse(const Pointer& at, std::string_view keyword, const std::string& why) const;

 private:
  // schema_pass.cc: the walk and the costs
  Result<void> visit(const Pointer& at);
  Result<void> visit_children(const Pointer& at);
  Result<void> follow_reference(const Pointer& at);
  Result<void> count_alternatives(const Pointer& at, std::string_view keyword);
  void drop_duplicates();
  Result<void> check_sizes(const Pointer& at);
  Result<std::optional<std::size_t>> size_member(const Pointer& at, const char* keyword);
  Result<void> rewrite_pattern(const Pointer& at);
  Result<void> check_integer_bounds(const Pointer& at);
  Result<std::size_t> width(const Pointer& at, int depth);
  Result<std::size_t> count_width(const Pointer& at, int depth);
  Json* node(const Pointer& at);
  void later(Pointer at, std::string token);

  // schema_exact.cc: what a strict schema may say
  Result<void> check_exact(const Pointer& at);
  Result<void> check_siblings(const Pointer& at, std::initializer_list<std::string_view> besides);
  Result<void> check_keyword(const Pointer& at, std::string_view keyword, std::uint8_t types);
  Result<void> check_object(const Pointer& at);
  Result<void> check_array(const Pointer& at);
  Result<void> check_string(const Pointer& at);
  Result<void> check_values(const Pointer& at, std::string_view keyword);
  Result<void> check_one_of(const Pointer& at);
  Result<std::uint8_t> declared_types(const Pointer& at);
  void unwrap_all_of();
  std::uint8_t types_at(const Pointer& at);
  bool are_disjoint(const Pointer& a, const Pointer& b);
  std::optional<std::vector<Json>> values_at(const Pointer& at);
  Pointer resolved(Pointer at);

  Json& root_;
  const std::string where_;
  const bool strict_;
  Costs& costs_;
  Json* here_ = nullptr;  // the node that is being visited
  std::vector<Pointer> left_;
  std::set<std::string> seen_;
  std::map<std::string, std::size_t> widths_;  // by pointer
  std::vector<std::pair<std::string, Json>> references_;
};

}  // namespace cloister::engine
