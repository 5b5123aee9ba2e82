// WorkLimit: ends work of the library on this thread that takes longer than it may, in the middle of it. A grammar
// whose alternatives can continue in parallel has states that multiply with each character, so that the library may not
// return from one token for minutes, and no check of the clock between tokens would run.
//
// The library has no place where it asks whether to continue. But each state that it makes needs memory, and an
// allocation may be refused: the linker redirects all of this program's calls of operator new through here
// (cmake/llama.cmake), and where a limit is in force, the thread's clock is read now and then. The exception is one
// that any of these places may throw, so that everything the library holds is freed.
#pragma once

#include <functional>

namespace cloister::engine::llama {

// Seconds of this thread's processor time.
double thread_seconds();

// Runs `work` on this thread for at most about `seconds` of its processor time. Returns false when it was ended: what
// it was working on must then not be used, only freed. Exceptions of `work` pass through. Not nested.
bool run_within(double seconds, const std::function<void()>& work);

}  // namespace cloister::engine::llama
