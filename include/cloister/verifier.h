// Cloister's verifier for C++17 and later: the handles of cloister.h with an owner. It is header-only, so a program compiled by
// another compiler or with another standard library can link it all the same.
//
//     cloister::VerifierHandle verifier;
//     verifier.follow_clock();
//     auto input = cloister::input<cloister_report_input>();
//     input.report = cloister::bytes(report);
//     input.nonce = cloister::bytes(nonce);
//     if (verifier.report(input).accepted()) ...
#pragma once

#if defined(__cplusplus) && __cplusplus < 201703L
#error "cloister/verifier.h needs C++17; C++ before that can use cloister/cloister.h"
#endif

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "cloister/cloister.h"

namespace cloister {

// An input with nothing in it yet but its size.
template <typename Input>
Input input() {
  Input out{};
  out.struct_size = sizeof out;
  return out;
}

// The bytes of a string, or of a vector, an array or a span of std::uint8_t or std::byte, which outlive the call that uses them. An empty
// container is present, and empty. The compiler refuses a temporary, whose bytes would be gone, and a pointer, which has no size.
inline cloister_bytes bytes(std::string_view text) { return {text.data() == nullptr ? "" : text.data(), text.size()}; }
inline cloister_bytes bytes(const std::string& text) { return {text.data(), text.size()}; }
cloister_bytes bytes(std::string&& text) = delete;
cloister_bytes bytes(const std::string&& text) = delete;
cloister_bytes bytes(std::nullptr_t) = delete;
// A literal or an array of characters may hold zeros, or none at its end: std::string_view says which is meant.
template <typename Pointer, std::enable_if_t<std::is_convertible_v<Pointer, const char*>, int> = 0>
cloister_bytes bytes(Pointer) = delete;
template <std::size_t N>
cloister_bytes bytes(const std::uint8_t (&array)[N]) {
  return {array, N};
}
template <typename Container>
using HoldsBytes =
    std::enable_if_t<std::is_same_v<decltype(std::declval<const Container&>().data()), const std::uint8_t*> ||
                         std::is_same_v<decltype(std::declval<const Container&>().data()), const std::byte*> ||
                         std::is_same_v<decltype(std::declval<const Container&>().data()), std::uint8_t*> ||
                         std::is_same_v<decltype(std::declval<const Container&>().data()), std::byte*>,
                     int>;
template <typename Container, HoldsBytes<Container> = 0>
cloister_bytes bytes(const Container& container) {
  return {container.size() == 0 ? static_cast<const void*>("") : container.data(), container.size()};
}
template <typename Container, HoldsBytes<Container> = 0,
          std::enable_if_t<!std::is_lvalue_reference_v<Container>, int> = 0>
cloister_bytes bytes(Container&& container) = delete;

// One check. The views are valid as long as the verdict lives.
struct CheckView {
  cloister_state state = CLOISTER_NO_STATE;
  bool required = false;
  std::string_view id, detail, expected, found, meaning, without;

  bool passed() const { return state == CLOISTER_PASSED; }
};

class VerdictHandle {
 public:
  // Takes over what a judging call returned.
  VerdictHandle(cloister_outcome outcome, cloister_verdict* verdict) : outcome_(outcome), verdict_(verdict) {
    if (verdict == nullptr) throw std::bad_alloc();
  }
  cloister_outcome outcome() const { return outcome_; }
  // Every required check passed. No other outcome is a yes.
  bool accepted() const { return outcome_ == CLOISTER_ACCEPTED; }
  // Why nothing was judged; CLOISTER_OK, which is no yes, and an empty text where evidence was.
  cloister_status refusal() const { return cloister_verdict_refusal(verdict_.get()); }
  std::string_view error() const { return view(cloister_verdict_error(verdict_.get())); }

  // The evidence, or a part of it, is simulated: anybody can make it.
  bool is_simulated() const { return cloister_verdict_is_simulated(verdict_.get()) != 0; }
  // The addresses that an accepted verdict about a report attests; none for every other verdict.
  std::vector<std::string> signing_addresses() const {
    std::vector<std::string> out;
    while (const char* address = cloister_verdict_signing_address(verdict_.get(), out.size()))
      out.emplace_back(address);
    return out;
  }

  std::vector<CheckView> checks() const {
    std::vector<CheckView> out(cloister_verdict_check_count(verdict_.get()));
    for (std::size_t i = 0; i < out.size(); ++i) {
      auto check = input<cloister_check>();
      if (cloister_verdict_check(verdict_.get(), i, &check) == CLOISTER_OK) out[i] = view(check);
    }
    return out;
  }
  // Absent when the verdict has no check of this id; the worst where it has several.
  std::optional<CheckView> find(const std::string& id) const {
    auto check = input<cloister_check>();
    if (cloister_verdict_find_check(verdict_.get(), id.c_str(), &check) != CLOISTER_OK) return std::nullopt;
    return view(check);
  }

  // The views are valid as long as this object lives.
  std::string_view json() const { return view(cloister_verdict_json(verdict_.get())); }
  std::string_view tree() const { return view(cloister_verdict_tree(verdict_.get())); }
  std::string_view summary() const { return view(cloister_verdict_summary(verdict_.get())); }

 private:
  static std::string_view view(const cloister_text& text) { return {text.data, text.size}; }
  static CheckView view(const cloister_check& check) {
    return {check.state,          check.required != 0, view(check.id),      view(check.detail),
            view(check.expected), view(check.found),   view(check.meaning), view(check.without)};
  }
  struct Free {
    void operator()(cloister_verdict* verdict) const { cloister_verdict_free(verdict); }
  };
  cloister_outcome outcome_;
  std::unique_ptr<cloister_verdict, Free> verdict_;
};

// Throws std::invalid_argument for a policy, collateral or a time that cannot be used; bad evidence is a verdict, never an
// exception.
class VerifierHandle {
 public:
  VerifierHandle() : verifier_(cloister_verifier_new()) {
    if (verifier_ == nullptr) throw std::bad_alloc();
  }
  void follow_clock() { check(cloister_verifier_follow_clock(verifier_.get())); }
  void set_time(std::int64_t unix_seconds) { check(cloister_verifier_set_time(verifier_.get(), unix_seconds)); }
  void set_policy(std::string_view toml) {
    check(cloister_verifier_set_policy(verifier_.get(), toml.data(), toml.size()));
  }
  void add_collateral(std::string_view text) {
    check(cloister_verifier_add_collateral(verifier_.get(), text.data(), text.size()));
  }
  void add_rim(const std::string& id, std::string_view rim) {
    check(cloister_verifier_add_rim(verifier_.get(), id.c_str(), rim.data(), rim.size()));
  }

  VerdictHandle report(const cloister_report_input& input) const { return judge(cloister_verify_report, input); }
  VerdictHandle quote(const cloister_quote_input& input) const { return judge(cloister_verify_quote, input); }
  VerdictHandle gpu(const cloister_gpu_input& input) const { return judge(cloister_verify_gpu, input); }
  VerdictHandle snp(const cloister_snp_input& input) const { return judge(cloister_verify_snp, input); }
  VerdictHandle receipt(const cloister_receipt_input& input) const { return judge(cloister_verify_receipt, input); }
  VerdictHandle session(const cloister_session_input& input) const { return judge(cloister_verify_session, input); }
  VerdictHandle signature(const cloister_signature_input& input) const {
    return judge(cloister_verify_signature, input);
  }
  VerdictHandle proof(const cloister_file_input& input) const { return judge(cloister_verify_proof, input); }
  VerdictHandle archive(const cloister_file_input& input) const { return judge(cloister_verify_archive, input); }
  VerdictHandle bundle(const cloister_file_input& input) const { return judge(cloister_verify_bundle, input); }

 private:
  template <typename Input>
  VerdictHandle judge(cloister_outcome (*call)(const cloister_verifier*, const Input*, cloister_verdict**),
                      const Input& input) const {
    cloister_verdict* verdict = nullptr;
    const cloister_outcome outcome = call(verifier_.get(), &input, &verdict);
    return VerdictHandle(outcome, verdict);
  }
  void check(cloister_status status) {
    if (status == CLOISTER_ERROR_MEMORY) throw std::bad_alloc();
    if (status != CLOISTER_OK) throw std::invalid_argument(cloister_verifier_error(verifier_.get()));
  }
  struct Free {
    void operator()(cloister_verifier* verifier) const { cloister_verifier_free(verifier); }
  };
  std::unique_ptr<cloister_verifier, Free> verifier_;
};

}  // namespace cloister
