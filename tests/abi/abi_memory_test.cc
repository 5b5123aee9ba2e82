// Memory that runs out in the midst of a call: the call says so, and nothing is accepted that was not kept.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "tests/abi/abi_test_util.h"

namespace {

// Allocations of this thread that still succeed; negative: all do.
thread_local long g_left = -1;

void* allocate(std::size_t size) {
  if (g_left == 0) throw std::bad_alloc();
  if (g_left > 0) --g_left;
  void* out = std::malloc(size == 0 ? 1 : size);
  if (out == nullptr) throw std::bad_alloc();
  return out;
}

}  // namespace

// The library takes the program's, as every shared library does.
void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }

namespace cloister::testing {
namespace {

enum Ending { kAcceptedAndKept, kUnreadable, kOtherwise, kAcceptedAndLost };

// How a call ends when so many allocations succeed. In a process of its own: the JSON library allocates in destructors, and a process
// that has no memory for that ends.
int ending_of(const cloister_verifier* verifier, const cloister_report_input& in, long allocations) {
  const pid_t child = ::fork();
  if (child == 0) {
    // Nobody wants to read how it ended.
    ::close(STDERR_FILENO);
    cloister_verdict* verdict = nullptr;
    g_left = allocations;
    const cloister_outcome outcome = cloister_verify_report(verifier, &in, &verdict);
    g_left = -1;
    if (outcome == CLOISTER_UNREADABLE) ::_exit(kUnreadable);
    if (outcome != CLOISTER_ACCEPTED) ::_exit(kOtherwise);
    ::_exit(cloister_verdict_outcome(verdict) == CLOISTER_ACCEPTED ? kAcceptedAndKept : kAcceptedAndLost);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Memory, WhenItIsOutNothingIsAccepted) {
  cloister_verifier* verifier = cloister_verifier_new();
  ASSERT_EQ(cloister_verifier_set_policy(verifier, kAcceptSimulator, std::strlen(kAcceptSimulator)), CLOISTER_OK);
  ASSERT_EQ(cloister_verifier_set_time(verifier, kJudgedAt), CLOISTER_OK);
  const cloister_report_input in = report_input();
  // What is made once is made.
  ASSERT_EQ(cloister_verify_report(verifier, &in, nullptr), CLOISTER_ACCEPTED);
  int refused = 0;
  long allocations = 0;
  for (;; allocations += allocations / 8 + 1) {
    const int ending = ending_of(verifier, in, allocations);
    EXPECT_NE(ending, kAcceptedAndLost) << allocations;
    if (ending == kAcceptedAndKept) break;
    refused += ending == kUnreadable ? 1 : 0;
    ASSERT_LT(allocations, 10'000'000);
  }
  EXPECT_GT(allocations, 1000);
  EXPECT_GT(refused, 10);
  cloister_verifier_free(verifier);
}

TEST(Memory, WhenItIsOutTheSettersSaySo) {
  const std::string policy = "[boot]\nallow_any_measurements = true\n";
  g_left = 0;
  EXPECT_EQ(cloister_verifier_new(), nullptr);
  g_left = -1;
  cloister_verifier* verifier = cloister_verifier_new();
  const char* rim = "<a>a text that is longer than what a string holds without memory</a>";
  g_left = 0;
  EXPECT_EQ(cloister_verifier_set_policy(verifier, policy.data(), policy.size()), CLOISTER_ERROR_MEMORY);
  EXPECT_EQ(cloister_verifier_add_collateral(verifier, "{\"collateral\":\"cloister.collateral.v1\"}", 39),
            CLOISTER_ERROR_MEMORY);
  EXPECT_EQ(cloister_verifier_add_rim(verifier, "NV_GPU_DRIVER_GH100_550.144.03", rim, std::strlen(rim)),
            CLOISTER_ERROR_MEMORY);
  g_left = -1;
  cloister_verifier_free(verifier);
}

TEST(Memory, WhenItIsOutAVerdictHasNoForms) {
  const VerdictHandle verdict = simulator_verifier().report(report_input());
  g_left = 0;
  EXPECT_EQ(verdict.json().size(), 0u);
  EXPECT_EQ(verdict.tree().size(), 0u);
  g_left = -1;
  EXPECT_EQ(parsed(verdict)["verdict"], "accepted") << "and has them when there is some again";
}

}  // namespace
}  // namespace cloister::testing
