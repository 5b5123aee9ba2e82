// Moves committed pages from the log into the database file on a thread of its own, so that no batch waits for the disk to
// take the pages of the fifty batches before it. It is only an aid: where it cannot keep up, the writer does the rest.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "db/sqlite/connection.h"

namespace cloister::db::sqlite {

class Checkpointer {
 public:
  // For the file that `writer` has open; `writer` outlives it. From now on, commits there call this object.
  static Result<std::unique_ptr<Checkpointer>> start(Connection& writer);
  // Ends the thread; waits for the pages that it is writing.
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

 private:
  Checkpointer(Connection& writer, std::unique_ptr<Connection> own);
  void log_grew(int pages);  // on the writer's thread, after a commit
  void run();

  Connection& writer_;
  const std::unique_ptr<Connection> own_;
  int asked_at_ = 0;  // pages; used by the writer's thread alone

  std::mutex mutex_;  // guards the members of this block
  std::condition_variable wake_;
  bool wanted_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace cloister::db::sqlite
