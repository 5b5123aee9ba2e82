// A folder that answers as the kernel's configfs-tsm does: code that makes a folder in it finds the attributes of a
// report there, writes report data and reads the quote. The code under test uses real files throughout. What the kernel
// does in a call, a thread does here as soon as inotify reports it; until then `outblob` is an empty pipe, whose reader
// gets EAGAIN.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "evidence/report_data.h"

namespace cloister::tee::testing {

struct FakeTsmBehaviour {
  std::string provider = "tdx_guest\n";
  // Makes the quote for this report data; not called when nothing is to be answered.
  std::function<Bytes(const evidence::ReportData&)> quote;
  Bytes auxblob;
  int other_writes = 0;         // writes of another process between the write and the read
  bool broken_service = false;  // reading outblob fails with EIO
  bool silent = false;          // outblob stays busy forever
  bool without_attributes = false;
};

class FakeTsm {
 public:
  FakeTsm(std::filesystem::path root, FakeTsmBehaviour behaviour)
      : root_(std::move(root)),
        behaviour_(std::move(behaviour)),
        watcher_(::inotify_init1(IN_NONBLOCK)),
        stop_(::eventfd(0, 0)) {
    std::filesystem::create_directories(root_);
    root_watch_ = ::inotify_add_watch(watcher_, root_.c_str(), IN_CREATE | IN_ONLYDIR);
    EXPECT_GE(root_watch_, 0);
    thread_ = std::thread([this] { run(); });
  }
  ~FakeTsm() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(stop_, &one, sizeof(one));
    thread_.join();
    for (const int pipe : pipes_) ::close(pipe);
    ::close(watcher_);
    ::close(stop_);
  }

  std::atomic<int> reports = 0;

 private:
  void run() {
    while (true) {
      std::array<pollfd, 2> waited{{{watcher_, POLLIN, 0}, {stop_, POLLIN, 0}}};
      ::poll(waited.data(), waited.size(), -1);
      if (waited[1].revents != 0) return;
      alignas(inotify_event) char buffer[8192];
      const ssize_t size = ::read(watcher_, buffer, sizeof(buffer));
      for (ssize_t at = 0; at < size;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
        on_event(*event, event->len > 0 ? event->name : "");
      }
    }
  }

  void on_event(const inotify_event& event, const std::string& name) {
    if (event.wd == root_watch_) {
      if ((event.mask & IN_ISDIR) != 0 && !behaviour_.without_attributes) make_attributes(root_ / name);
    } else if (name == "inblob" && entries_.contains(event.wd)) {
      answer(entries_[event.wd]);
    }
  }

  static void put(const std::filesystem::path& path, std::string_view text) {
    EXPECT_TRUE(write_file_atomically(path, text, 0600));
  }

  // `provider` comes last, since readers look for it first.
  void make_attributes(const std::filesystem::path& entry) {
    put(entry / "generation", "0\n");
    put(entry / "inblob", "");
    put(entry / "auxblob", as_text(behaviour_.auxblob));
    if (behaviour_.broken_service) {
      // A link to the reader's own memory from address 0 on, which nobody can read.
      std::filesystem::create_symlink("/proc/self/mem", entry / "outblob");
    } else {
      ::mkfifo((entry / "outblob").c_str(), 0600);
      pipes_.push_back(::open((entry / "outblob").c_str(), O_RDWR | O_NONBLOCK));
    }
    entries_[::inotify_add_watch(watcher_, entry.c_str(), IN_CLOSE_WRITE)] = entry;
    put(entry / "provider", behaviour_.provider);
  }

  void answer(const std::filesystem::path& entry) {
    const auto inblob = read_file(entry / "inblob", 4096);
    evidence::ReportData data{};
    ASSERT_TRUE(inblob && inblob->size() == data.size());
    std::copy(inblob->begin(), inblob->end(), data.begin());
    put(entry / "generation", std::to_string(1 + behaviour_.other_writes) + "\n");
    ++reports;
    if (behaviour_.silent || behaviour_.broken_service) return;
    put(entry / "outblob", as_text(behaviour_.quote(data)));
  }

  const std::filesystem::path root_;
  const FakeTsmBehaviour behaviour_;
  const int watcher_, stop_;
  int root_watch_ = -1;
  std::map<int, std::filesystem::path> entries_;
  std::vector<int> pipes_;
  std::thread thread_;
};

}  // namespace cloister::tee::testing
