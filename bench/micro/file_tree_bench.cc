// Compares the digest of a model file with plain SHA-256 of the same file and of its bytes in memory. Each of the three
// uses all cores.
//   file_tree_bench FILE [ROUNDS]
// The program prints the medians and, for each round, gigabytes a second of CPU time (all threads together). Other work
// on the machine does not change this figure much. The file should fit into memory twice, because it is read once
// beforehand.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/file_descriptor.h"
#include "crypto/hash.h"
#include "evidence/file_tree.h"

namespace {

using namespace cloister;

struct Cost {
  double cpu_s = 0, wall_s = 0;
};

double cpu_seconds() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

Cost measure(const std::function<void()>& work) {
  const double cpu = cpu_seconds();
  const auto begun = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  return {cpu_seconds() - cpu, took.count()};
}

// Each thread hashes a part of its own, from front to back.
void on_all_cores(std::size_t size, unsigned threads,
                  const std::function<void(std::size_t from, std::size_t to)>& work) {
  std::vector<std::thread> running;
  const std::size_t share = size / threads + 1;
  for (unsigned i = 0; i < threads; ++i) {
    running.emplace_back(work, std::min(size, i * share), std::min(size, (i + 1) * share));
  }
  for (std::thread& thread : running) thread.join();
}

void hash_in_memory(ByteView bytes, unsigned threads) {
  on_all_cores(bytes.size(), threads, [bytes](std::size_t from, std::size_t to) {
    crypto::Sha256 hasher;
    hasher.update(bytes.subspan(from, to - from));
    hasher.finish();
  });
}

void hash_by_reading(int fd, std::size_t size, unsigned threads) {
  on_all_cores(size, threads, [fd](std::size_t from, std::size_t to) {
    crypto::Sha256 hasher;
    std::vector<std::uint8_t> piece(128 << 10);
    while (from < to) {
      const ssize_t got = ::pread(fd, piece.data(), std::min(piece.size(), to - from), static_cast<off_t>(from));
      if (got <= 0) std::abort();
      hasher.update({piece.data(), static_cast<std::size_t>(got)});
      from += static_cast<std::size_t>(got);
    }
    hasher.finish();
  });
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: file_tree_bench FILE [ROUNDS]\n");
    return 2;
  }
  const auto text = read_file(argv[1], std::size_t{1} << 36);
  const FileDescriptor file(::open(argv[1], O_RDONLY | O_CLOEXEC));
  if (!text || file.get() < 0) {
    std::fprintf(stderr, "file_tree_bench: cannot read %s\n", argv[1]);
    return 1;
  }
  const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  const double gigabytes = static_cast<double>(text->size()) * 1e-9;
  std::vector<double> memory, plain, tree;
  for (int round = 0; round < (argc > 2 ? std::atoi(argv[2]) : 7); ++round) {
    memory.push_back(gigabytes / measure([&] { hash_in_memory(as_bytes(*text), threads); }).cpu_s);
    plain.push_back(gigabytes / measure([&] { hash_by_reading(file.get(), text->size(), threads); }).cpu_s);
    const Cost cost = measure([&] { (void)evidence::hash_file_tree(file.get(), text->size(), {}); });
    tree.push_back(gigabytes / cost.cpu_s);
    std::printf("in memory %.2f   plain of the file %.2f   tree of the file %.2f GB/s of CPU (%.2f GB/s of time)\n",
                memory.back(), plain.back(), tree.back(), gigabytes / cost.wall_s);
  }
  std::printf(
      "medians: in memory %.2f, plain of the file %.2f, tree of the file %.2f; tree/plain %.3f, tree/memory %.3f; %u threads\n",
      median(memory), median(plain), median(tree), median(tree) / median(plain), median(tree) / median(memory),
      threads);
  return 0;
}
