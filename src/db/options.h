// How a database is opened, whichever it is.
#pragma once

namespace cloister::db {

// What a committed change survives.
enum class Durability {
  kProcess,  // the end of this process, at any moment
  kMachine,  // loss of power as well; a commit then waits for the disk
};

enum class Access {
  kCreate,    // created when it does not exist, and brought to the newest version of its tables
  kExisting,  // for reading: an error when it does not exist or has an older version; nothing is created or changed in it
};

}  // namespace cloister::db
