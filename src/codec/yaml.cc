#include "codec/yaml.h"

#include <yaml.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace cloister::codec {
namespace {

std::optional<std::size_t> odd_break(std::string_view text) {
  for (const std::string_view sign : {"\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"}) {
    if (const std::size_t at = text.find(sign); at != std::string_view::npos) return at;
  }
  return std::nullopt;
}

std::size_t line_of(const yaml_mark_t& mark) { return static_cast<std::size_t>(mark.line) + 1; }

Error bad(std::size_t line, const std::string& what) {
  return fail(ErrorCode::kBadReport, "YAML, line " + std::to_string(line) + ": " + what);
}

class Event {
 public:
  Event() = default;
  ~Event() {
    if (filled_) yaml_event_delete(&event_);
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  bool read(yaml_parser_t& parser) {
    filled_ = yaml_parser_parse(&parser, &event_) != 0;
    return filled_;
  }
  const yaml_event_t& operator*() const { return event_; }
  const yaml_event_t* operator->() const { return &event_; }

 private:
  yaml_event_t event_{};
  bool filled_ = false;
};

std::size_t nodes_in(const YamlNode& node) {
  std::size_t out = 1;
  for (const YamlNode& item : node.items) out += nodes_in(item);
  for (const YamlMember& member : node.members) out += 1 + nodes_in(member.value);
  return out;
}

std::size_t depth_of(const YamlNode& node) {
  std::size_t below = 0;
  for (const YamlNode& item : node.items) below = std::max(below, depth_of(item));
  for (const YamlMember& member : node.members) below = std::max(below, depth_of(member.value));
  return below + 1;
}

// A node that an anchor names.
struct Named {
  YamlNode node;
  std::size_t nodes = 0, depth = 0;
};

class Reader {
 public:
  Reader(std::string_view text, const YamlLimits& limits) : limits_(limits) {
    ready_ = yaml_parser_initialize(&parser_) != 0;
    if (!ready_) return;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~Reader() {
    if (ready_) yaml_parser_delete(&parser_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  Result<YamlNode> read() {
    if (!ready_) return bad(1, "out of memory");
    TRY_VOID(expect(YAML_STREAM_START_EVENT, "no stream"));
    Event start;
    if (!start.read(parser_)) return problem();
    if (start->type != YAML_DOCUMENT_START_EVENT) return bad(line_of(start->start_mark), "no document");
    const auto& head = start->data.document_start;
    if (head.version_directive != nullptr || head.tag_directives.start != head.tag_directives.end) {
      return bad(line_of(start->start_mark), "directives are not read");
    }
    TRY(root, read_node(1));
    TRY_VOID(expect(YAML_DOCUMENT_END_EVENT, "the document goes on"));
    TRY_VOID(expect(YAML_STREAM_END_EVENT, "a second document"));
    return root;
  }

 private:
  Error problem() const {
    return bad(line_of(parser_.problem_mark), parser_.problem == nullptr ? "malformed" : std::string(parser_.problem));
  }

  Result<void> expect(yaml_event_type_t type, const char* otherwise) {
    Event event;
    if (!event.read(parser_)) return problem();
    if (event->type != type) return bad(line_of(event->start_mark), otherwise);
    return {};
  }

  Result<YamlNode> read_node(std::size_t depth) {
    Event event;
    if (!event.read(parser_)) return problem();
    return node_of(event, depth);
  }

  Result<YamlNode> node_of(const Event& event, std::size_t depth) {
    const std::size_t line = line_of(event->start_mark);
    if (depth > limits_.max_depth) return bad(line, "nested too deeply");
    TRY_VOID(count(line, 1));
    switch (event->type) {
      case YAML_SCALAR_EVENT: return scalar_of(event, line);
      case YAML_SEQUENCE_START_EVENT: return sequence_of(event, line, depth);
      case YAML_MAPPING_START_EVENT: return mapping_of(event, line, depth);
      case YAML_ALIAS_EVENT: return alias_of(event, line, depth);
      default: return bad(line, "expected a value");
    }
  }

  Result<void> count(std::size_t line, std::size_t nodes) {
    if (nodes > limits_.max_nodes - nodes_) return bad(line, "too many values");
    nodes_ += nodes;
    return {};
  }

  Result<YamlNode> scalar_of(const Event& event, std::size_t line) {
    const auto& scalar = event->data.scalar;
    if (scalar.tag != nullptr) return bad(line, "tags are not read");
    YamlNode out;
    out.line = line;
    out.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
    out.quoted = scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return named(scalar.anchor, std::move(out));
  }

  Result<YamlNode> sequence_of(const Event& event, std::size_t line, std::size_t depth) {
    const auto& start = event->data.sequence_start;
    if (start.tag != nullptr) return bad(line, "tags are not read");
    YamlNode out;
    out.kind = YamlNode::Kind::kSequence;
    out.line = line;
    forget(start.anchor);
    for (;;) {
      Event next;
      if (!next.read(parser_)) return problem();
      if (next->type == YAML_SEQUENCE_END_EVENT) return named(start.anchor, std::move(out));
      TRY(item, node_of(next, depth + 1));
      out.items.push_back(std::move(item));
    }
  }

  Result<YamlNode> mapping_of(const Event& event, std::size_t line, std::size_t depth) {
    const auto& start = event->data.mapping_start;
    if (start.tag != nullptr) return bad(line, "tags are not read");
    YamlNode out;
    out.kind = YamlNode::Kind::kMapping;
    out.line = line;
    std::set<std::string, std::less<>> names;
    forget(start.anchor);
    for (;;) {
      Event next;
      if (!next.read(parser_)) return problem();
      if (next->type == YAML_MAPPING_END_EVENT) return named(start.anchor, std::move(out));
      TRY(key, node_of(next, depth + 1));
      if (!key.is_scalar()) return bad(line_of(next->start_mark), "a key is no plain text");
      if (!names.insert(key.text).second) return bad(line_of(next->start_mark), "a key occurs twice");
      TRY(value, read_node(depth + 1));
      out.members.push_back({std::move(key.text), std::move(value)});
    }
  }

  Result<YamlNode> alias_of(const Event& event, std::size_t line, std::size_t depth) {
    const auto found = named_.find(reinterpret_cast<const char*>(event->data.alias.anchor));
    if (found == named_.end()) return bad(line, "an alias of nothing that stands before it");
    if (found->second.depth > limits_.max_depth - depth + 1) return bad(line, "nested too deeply");
    TRY_VOID(count(line, found->second.nodes));
    return YamlNode(found->second.node);
  }

  // An alias inside the node that it names finds nothing.
  void forget(const unsigned char* anchor) {
    if (anchor != nullptr) named_.erase(reinterpret_cast<const char*>(anchor));
  }

  Result<YamlNode> named(const unsigned char* anchor, YamlNode node) {
    if (anchor == nullptr) return node;
    const std::size_t nodes = nodes_in(node);
    // Nodes that are kept for aliases count too.
    TRY_VOID(count(node.line, nodes));
    named_.insert_or_assign(reinterpret_cast<const char*>(anchor), Named{node, nodes, depth_of(node)});
    return node;
  }

  yaml_parser_t parser_{};
  bool ready_ = false;
  YamlLimits limits_;
  std::size_t nodes_ = 0;
  std::map<std::string, Named, std::less<>> named_;
};

}  // namespace

bool YamlNode::is_null() const {
  return is_scalar() && !quoted && (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL");
}

const YamlNode* YamlNode::find(std::string_view name) const {
  const auto found = std::ranges::find(members, name, &YamlMember::name);
  return found == members.end() ? nullptr : &found->value;
}

Result<YamlNode> parse_yaml(std::string_view text, const YamlLimits& limits) {
  if (text.size() > limits.max_bytes)
    return fail(ErrorCode::kBadReport, "YAML: more than " + std::to_string(limits.max_bytes) + " bytes");
  if (const auto at = odd_break(text)) {
    return bad(
        1 + static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(*at), '\n')),
        "a line break that not every reader knows");
  }
  return Reader(text, limits).read();
}

}  // namespace cloister::codec
