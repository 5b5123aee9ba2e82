#include "verify/samples.h"

#include <string>

#include "verify/check_list.h"

namespace cloister::verify {
namespace {

constexpr Sample kSamples[] = {
#define CLOISTER_SAMPLE(reader, what, checks, vector, note) {reader, what, checks, vector, note},
#include "verify/samples.def"
#undef CLOISTER_SAMPLE
};

bool is_about(const Sample& sample, std::string_view id) {
  for (std::string_view rest = sample.checks; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find(' '));
    if (one.ends_with('.') ? id.starts_with(one) : id == one) return true;
    rest.remove_prefix(one.size() == rest.size() ? one.size() : one.size() + 1);
  }
  return false;
}

}  // namespace

std::span<const Sample> samples() { return kSamples; }

std::vector<const Sample*> unproven_forms(std::string_view check_id) {
  const std::string name = check_name(check_id);
  std::vector<const Sample*> out;
  for (const Sample& sample : kSamples) {
    if (sample.vector.empty() && is_about(sample, name)) out.push_back(&sample);
  }
  return out;
}

}  // namespace cloister::verify
