// Parses untrusted YAML 1.1 strictly, with libyaml, into a tree of texts. Whatever two readers could understand
// differently, or makes a reader do more than parse, is an error.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cloister::codec {

struct YamlMember;

struct YamlNode {
  enum class Kind { kScalar, kSequence, kMapping };

  Kind kind = Kind::kScalar;
  std::size_t line = 0;             // from 1, of its first character; for an alias, the line of what it stands for
  std::string text;                 // text of a scalar; the caller decides what it means (number, null)
  bool quoted = false;              // the scalar is quoted; only a plain one may be null
  std::vector<YamlNode> items;      // items of a sequence
  std::vector<YamlMember> members;  // members of a mapping, in order

  bool is_mapping() const { return kind == Kind::kMapping; }
  bool is_sequence() const { return kind == Kind::kSequence; }
  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_null() const;  // True for a plain scalar that is empty, "~" or "null".
  // The value of a member; null where there is none, or where this is no mapping.
  const YamlNode* find(std::string_view name) const;
};

struct YamlMember {
  std::string name;
  YamlNode value;
};

struct YamlLimits {
  std::size_t max_bytes = 1u << 20;
  std::size_t max_depth = 32;
  std::size_t max_nodes = 1u << 16;  // nodes that aliases repeat are counted each time
};

// Parses one document of UTF-8 text. Aliases stand for copies. Errors are kBadReport, name the line and never quote the
// text: no document or a second one, directives, tags, keys that are no scalars, a key that occurs twice in a mapping, an
// alias inside the node that it names, the line breaks that YAML 1.1 has and 1.2 does not have (U+0085, U+2028, U+2029),
// and whatever is beyond the limits. The merge key "<<" is a key like others: the caller decides what it means. Any thread.
Result<YamlNode> parse_yaml(std::string_view text, const YamlLimits& limits = {});

}  // namespace cloister::codec
