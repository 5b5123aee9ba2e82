// Where the cryptographic library keeps private keys.
#pragma once

namespace cloister::crypto {

// From now on the library's private keys live in memory of their own, with guard pages around it, that is neither
// swapped nor dumped. Once, at the start of a process that serves, before it makes keys. False where the system lets so
// much memory not be locked: then it may be swapped.
bool lock_key_memory();

}  // namespace cloister::crypto
