// WorkLimit: ends work of the library on this thread that takes longer than it may, in the middle of it. A grammar whose
// alternatives can go on side by side has states that multiply with each character, so that the library may not come back
// from one token for minutes, and nothing that looks at the clock between tokens would run.
//
// The library has no place where it asks whether to go on. But each state that it makes is memory that it asks for, and
// may be refused: the linker sends all of this program's calls of operator new through here (cmake/llama.cmake), and where a limit is in
// force, the thread's clock is looked at now and then. What is thrown is what any of these places may throw, so that all that
// the library holds is given back.
#pragma once

#include <functional>

namespace cloister::engine::llama {

// Seconds of this thread's processor time.
double thread_seconds();

// Runs `work` on this thread for at most about `seconds` of its processor time. False when it was ended: what it was at
// then is in no state to be used, only to be freed. Exceptions of `work` pass. Not nested.
bool run_within(double seconds, const std::function<void()>& work);

}  // namespace cloister::engine::llama
