// The memory in which the cryptographic library keeps private keys.
#pragma once

namespace cloister::crypto {

// From now on the library's private keys lie in memory of their own, with guard pages around it, that is neither
// swapped nor dumped. Called once, at the start of a process that serves, before it makes keys. False where the system
// does not allow so much memory to be locked: it may then be swapped.
bool lock_key_memory();

}  // namespace cloister::crypto
