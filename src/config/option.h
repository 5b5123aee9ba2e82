// Option: one option of `cloister serve` as data. serve_option_table() holds all of them (config/serve_options.def). Constant; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "config/serve_options.h"

namespace cloister::config {

// Which values an option accepts, in addition to what its type says.
struct Values {
  enum class Kind { kAny, kWord, kWholeNumber, kNumber, kSize };
  Kind kind = Kind::kAny;
  std::string_view
      words;  // kWord: the words; kSize: the smallest and the largest size, as store::parse_bytes() takes them; between spaces
  double low = 0, high = 0;  // kWholeNumber, kNumber
  bool zero_too = false;     // 0 is accepted although it is not in the range
};
constexpr Values words(std::string_view words) { return {.kind = Values::Kind::kWord, .words = words}; }
constexpr Values size(std::string_view low_and_high) { return {.kind = Values::Kind::kSize, .words = low_and_high}; }
constexpr Values whole(double low, double high) {
  return {.kind = Values::Kind::kWholeNumber, .words = {}, .low = low, .high = high};
}
constexpr Values zero_or_whole(double low, double high) {
  return {.kind = Values::Kind::kWholeNumber, .words = {}, .low = low, .high = high, .zero_too = true};
}
constexpr Values number(double low, double high) {
  return {.kind = Values::Kind::kNumber, .words = {}, .low = low, .high = high};
}
constexpr Values zero_or_number(double low, double high) {
  return {.kind = Values::Kind::kNumber, .words = {}, .low = low, .high = high, .zero_too = true};
}

// The section of docs/guide/options.md.
enum class Group { kCallers, kEngine, kProof, kStorage };

// What SIGHUP does with the option: nothing, since a change needs a restart; it reads the file that the option names anew; it takes a new
// value out of the configuration file.
enum class OnSighup { kNothing, kContent, kValue };

// What the policy document (docs/spec/policy.md) says of an option. There is no default: a row that says nothing does not compile.
struct InPolicy {
  enum class Kind {
    kValue,     // one member is the option's value
    kEffect,    // members follow from this option and others (config/policy_document.cc)
    kFound,     // members say what the node found on the machine where the option had it look
    kUnstated,  // the document says nothing, for a reason
  };
  Kind kind;
  std::string_view text;  // kUnstated: the reason; else the members' paths, such as "listen.tls", between spaces

  constexpr InPolicy(Kind kind_given, std::string_view text_given) : kind(kind_given), text(text_given) {}
};
constexpr InPolicy value_of(std::string_view member) { return {InPolicy::Kind::kValue, member}; }
constexpr InPolicy effect_on(std::string_view members) { return {InPolicy::Kind::kEffect, members}; }
constexpr InPolicy found_as(std::string_view members) { return {InPolicy::Kind::kFound, members}; }
constexpr InPolicy unstated(std::string_view reason) { return {InPolicy::Kind::kUnstated, reason}; }

using Member = std::variant<std::string ServeOptions::*, std::vector<std::string> ServeOptions::*, bool ServeOptions::*,
                            int ServeOptions::*, double ServeOptions::*, std::uint64_t ServeOptions::*>;

struct Option {
  Member member;
  std::string_view name;  // without dashes; the key in the section [serve] of a configuration file
  Group group;
  std::string_view help;
  Values values = {};
  std::string_view needs = {};             // the name of an option that has to be given too
  std::string_view default_in_words = {};  // for the page, where the default depends on the machine or on the build
  bool of_model = false;  // it changes the identity of a model, so `cloister models manifest` has it too
  OnSighup on_sighup = OnSighup::kNothing;
  InPolicy policy;
};

// In the order of --help.
std::span<const Option> serve_option_table();

// The words of a text, which stand between single spaces.
std::vector<std::string_view> words_of(std::string_view text);

// Gives `to` the value that `from` has for this option.
void copy_value(const Option& option, const ServeOptions& from, ServeOptions& to);

}  // namespace cloister::config
