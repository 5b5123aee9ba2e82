// The verdict's handle: everything that was found out, to read.
#include <exception>
#include <mutex>
#include <string>
#include <string_view>

#include "abi/handles.h"
#include "abi/sized_struct.h"
#include "verify/check_list.h"
#include "verify/simulator_check.h"

using namespace cloister;

namespace {

constexpr cloister_text kNoText = {"", 0};

cloister_text text_of(const std::string& text) { return {text.c_str(), text.size()}; }

// Texts of checks.def are literals, and so have a zero behind them.
cloister_text text_of_literal(std::string_view text) {
  return text.empty() ? kNoText : cloister_text{text.data(), text.size()};
}

cloister_state state_of(verify::State state) {
  switch (state) {
    case verify::State::kPass: return CLOISTER_PASSED;
    case verify::State::kFail: return CLOISTER_FAILED;
    case verify::State::kSkipped: return CLOISTER_SKIPPED;
    case verify::State::kNotApplicable: return CLOISTER_NOT_APPLICABLE;
  }
  return CLOISTER_SKIPPED;
}

int badness_of(verify::State state) {
  switch (state) {
    case verify::State::kFail: return 3;
    case verify::State::kSkipped: return 2;
    case verify::State::kNotApplicable: return 1;
    case verify::State::kPass: return 0;
  }
  return 2;
}

// Writes the check, or zeros for none.
cloister_status give_check(const verify::Check* check, cloister_check* out) {
  cloister_check written{};
  if (check != nullptr) {
    written.required = check->required ? 1 : 0;
    written.state = state_of(check->state);
    written.id = text_of(check->id);
    written.detail = text_of(check->detail);
    written.expected = text_of(check->expected);
    written.found = text_of(check->actual);
    const verify::CheckMeaning* meaning = verify::find_meaning(check->id);
    written.meaning = meaning != nullptr ? text_of_literal(meaning->meaning) : kNoText;
    written.without = meaning != nullptr ? text_of_literal(meaning->without) : kNoText;
  }
  if (!abi::write_sized(out, written)) return CLOISTER_ERROR_STRUCT_SIZE;
  return check != nullptr ? CLOISTER_OK : CLOISTER_ERROR_NOT_FOUND;
}

// Runs `find` for a call with all its pointers.
template <typename Find>
cloister_status find_check(cloister_check* out, bool has_all, Find find) noexcept {
  if (out == nullptr) return CLOISTER_ERROR_NULL;
  try {
    const verify::Check* found = has_all ? find() : nullptr;
    const cloister_status status = give_check(found, out);
    return has_all || status == CLOISTER_ERROR_STRUCT_SIZE ? status : CLOISTER_ERROR_NULL;
  } catch (const std::exception&) {
    return CLOISTER_ERROR_MEMORY;
  }
}

// A form of the verdict, written once.
template <typename Write>
cloister_text written(cloister_verdict::Written& form, Write write) noexcept {
  try {
    std::call_once(form.once, [&] { form.text = write(); });
    return text_of(form.text);
  } catch (const std::exception&) {
    return kNoText;
  }
}

std::string dumped(const Json& value) { return value.dump(-1, ' ', true, Json::error_handler_t::replace); }

std::string unreadable_line(const cloister_verdict& verdict) { return "unreadable: " + verdict.error + "\n"; }

}  // namespace

extern "C" {

const char* cloister_status_text(int32_t status) {
  switch (status) {
    case CLOISTER_OK: return "done";
    case CLOISTER_ERROR_NULL: return "something required is absent or NULL";
    case CLOISTER_ERROR_STRUCT_SIZE: return "the size of a structure is not known here";
    case CLOISTER_ERROR_FLAGS: return "a flag is not known here";
    case CLOISTER_ERROR_SIZE: return "a value has another size than values of its kind";
    case CLOISTER_ERROR_TOO_LARGE: return "an input is larger than any of its kind";
    case CLOISTER_ERROR_MALFORMED: return "the bytes are no input of this kind";
    case CLOISTER_ERROR_COMPARISON: return "there is nothing to compare a named value with";
    case CLOISTER_ERROR_TIME: return "there is no time to judge at";
    case CLOISTER_ERROR_NOT_FOUND: return "the verdict has no such check";
    case CLOISTER_ERROR_MEMORY: return "memory is out";
    case CLOISTER_ERROR_SETTER: return "a setter of the verifier failed";
  }
  return "unknown";
}

const char* cloister_outcome_text(int32_t outcome) {
  switch (outcome) {
    case CLOISTER_NO_OUTCOME: return "none";
    case CLOISTER_ACCEPTED: return "accepted";
    case CLOISTER_REJECTED: return "rejected";
    case CLOISTER_UNREADABLE: return "unreadable";
    case CLOISTER_UNDETERMINED: return "undetermined";
  }
  return "unknown";
}

const char* cloister_state_text(int32_t state) {
  switch (state) {
    case CLOISTER_NO_STATE: return "none";
    case CLOISTER_FAILED: return "fail";
    case CLOISTER_SKIPPED: return "skipped";
    case CLOISTER_NOT_APPLICABLE: return "n/a";
    case CLOISTER_PASSED: return "pass";
  }
  return "unknown";
}

cloister_outcome cloister_verdict_outcome(const cloister_verdict* verdict) {
  return verdict == nullptr ? CLOISTER_NO_OUTCOME : verdict->outcome;
}

cloister_status cloister_verdict_refusal(const cloister_verdict* verdict) {
  return verdict == nullptr ? CLOISTER_ERROR_NULL : verdict->status;
}

cloister_text cloister_verdict_error(const cloister_verdict* verdict) {
  return verdict == nullptr ? kNoText : text_of(verdict->error);
}

int32_t cloister_verdict_is_simulated(const cloister_verdict* verdict) {
  return verdict != nullptr && verify::says_simulated(verdict->verdict.facts) ? 1 : 0;
}

const char* cloister_verdict_signing_address(const cloister_verdict* verdict, size_t index) {
  return verdict == nullptr || index >= verdict->addresses.size() ? nullptr : verdict->addresses[index].c_str();
}

size_t cloister_verdict_check_count(const cloister_verdict* verdict) {
  return verdict == nullptr ? 0 : verdict->verdict.checks.size();
}

cloister_status cloister_verdict_check(const cloister_verdict* verdict, size_t index, cloister_check* check) {
  return find_check(check, verdict != nullptr, [&]() -> const verify::Check* {
    const auto& checks = verdict->verdict.checks;
    return index < checks.size() ? &checks[index] : nullptr;
  });
}

cloister_status cloister_verdict_find_check(const cloister_verdict* verdict, const char* id, cloister_check* check) {
  return find_check(check, verdict != nullptr && id != nullptr, [&] {
    const verify::Check* worst = nullptr;
    for (const verify::Check& one : verdict->verdict.checks) {
      if (one.id == id && (worst == nullptr || badness_of(one.state) > badness_of(worst->state))) worst = &one;
    }
    return worst;
  });
}

cloister_text cloister_verdict_json(const cloister_verdict* verdict) {
  if (verdict == nullptr) return kNoText;
  return written(verdict->json, [verdict] {
    if (verdict->status != CLOISTER_OK) return dumped({{"verdict", "unreadable"}, {"error", verdict->error}});
    return dumped(verify::to_json(verdict->verdict));
  });
}

cloister_text cloister_verdict_tree(const cloister_verdict* verdict) {
  if (verdict == nullptr) return kNoText;
  return written(verdict->tree, [verdict] {
    return verdict->status != CLOISTER_OK ? unreadable_line(*verdict) : verify::to_text(verdict->verdict, false);
  });
}

cloister_text cloister_verdict_summary(const cloister_verdict* verdict) {
  if (verdict == nullptr) return kNoText;
  return written(verdict->summary, [verdict] {
    return verdict->status != CLOISTER_OK ? unreadable_line(*verdict) : verify::to_summary(verdict->verdict, false);
  });
}

void cloister_verdict_free(cloister_verdict* verdict) { delete verdict; }

}  // extern "C"
