#include "db/sqlite/checkpointer.h"

#include <signal.h>

namespace cloister::db::sqlite {
namespace {

constexpr int kStepPages = 2000;  // 8 MiB of log
constexpr int kWriterPages =
    8000;  // the log cannot begin anew while somebody writes: from this size on the writer itself moves pages

}  // namespace

Result<std::unique_ptr<Checkpointer>> Checkpointer::start(Connection& writer) {
  TRY(own,
      Connection::open(writer.file(), writer.name(), writer.what(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, 0));
  TRY_VOID(own->run("PRAGMA cache_size=-64"));
  return std::unique_ptr<Checkpointer>(new Checkpointer(writer, std::move(own)));
}

Checkpointer::Checkpointer(Connection& writer, std::unique_ptr<Connection> own)
    : writer_(writer), own_(std::move(own)) {
  // Signals are for the threads that wait for them.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  writer_.on_commit([this](int pages) { log_grew(pages); });
}

Checkpointer::~Checkpointer() {
  writer_.on_commit(nullptr);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Checkpointer::log_grew(int pages) {
  if (pages >= kWriterPages) {
    // Little is left to do by now. An error here is also one of the next commit, or that of another process at the same work.
    (void)writer_.run("PRAGMA wal_checkpoint(PASSIVE)").has_value();
    asked_at_ = 0;
    return;
  }
  if (pages < asked_at_) asked_at_ = 0;  // the log has begun anew
  if (pages - asked_at_ < kStepPages) return;
  asked_at_ = pages;
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
  }
  wake_.notify_one();
}

void Checkpointer::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return wanted_ || stopping_; });
    if (stopping_) return;
    wanted_ = false;
    lock.unlock();
    (void)own_->run("PRAGMA wal_checkpoint(PASSIVE)").has_value();
    lock.lock();
  }
}

}  // namespace cloister::db::sqlite
