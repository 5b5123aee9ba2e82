// Moves what was committed from the log into the database file on a thread of its own, so that no batch waits for the disk to
// take in the pages of the fifty before it. It only helps: where it cannot keep up, the writer does the rest.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "store/sqlite/database.h"

namespace cloister::store {

class Checkpointer {
 public:
  // Of the file that `writer` has open; outlived by it. From now on, commits there tell this.
  static Result<std::unique_ptr<Checkpointer>> start(Connection& writer);
  // Ends the thread; waits for the pages it is about to write.
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

 private:
  Checkpointer(Connection& writer, std::unique_ptr<Connection> own);
  void log_grew(int pages);   // on the writer's thread, after a commit
  void run();

  Connection& writer_;
  const std::unique_ptr<Connection> own_;
  int asked_at_ = 0;          // pages; the writer's thread alone

  std::mutex mutex_;          // the members of this block
  std::condition_variable wake_;
  bool wanted_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace cloister::store
