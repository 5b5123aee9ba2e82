// A streamed chunk causes no allocation, neither on the loop nor on the writer's thread, once the buffers have grown.
#include <atomic>

#include "base/testing/counted_allocations.h"
#include "http/http_test_util.h"

namespace cloister::http {
namespace {

using cloister::testing::allocations;

// Records how much its thread, the loop, has allocated so far.
class CountingObserver : public ReplyObserver {
 public:
  void on_body(std::string_view) override {
    allocations_on_loop.store(allocations);
    chunks.fetch_add(1);
  }
  End on_complete(const std::shared_ptr<Exchange>&) override { return End::kSend; }
  std::atomic<std::size_t> allocations_on_loop{0};
  std::atomic<std::size_t> chunks{0};
};

class AllocationTest : public testing::ServerTest {};

TEST_F(AllocationTest, NonePerStreamedChunk) {
  auto observer = std::make_shared<CountingObserver>();
  std::shared_ptr<Exchange> exchange;
  testing::Signal started;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& incoming) {
    incoming->set_observer(observer);
    incoming->start({});
    exchange = incoming;
    started.set();
  };
  serve();
  testing::RawClient raw = client();
  raw.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  ASSERT_TRUE(started.wait());
  raw.read_through("\r\n\r\n");

  const std::string event(250, 'e');
  const std::string frame = "fa\r\n" + event + "\r\n";
  std::size_t by_writer = 0;
  // The test waits for each event, so that each is a chunk, a wake-up and a write of its own.
  const auto send_events = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const std::size_t before = allocations;
      exchange->write(event);
      by_writer += allocations - before;
      ASSERT_EQ(raw.read_exactly(frame.size()), frame);
    }
  };
  send_events(10);
  const std::size_t warm = observer->allocations_on_loop;
  EXPECT_GT(warm, 0u);  // this shows that the counter works: the loop made the connection
  by_writer = 0;
  send_events(2000);
  EXPECT_EQ(observer->chunks, 2010u);
  EXPECT_EQ(observer->allocations_on_loop - warm, 0u);
  EXPECT_EQ(by_writer, 0u);
  exchange->finish();
  EXPECT_EQ(raw.read_through("\r\n\r\n"), "0\r\n\r\n");
}

}  // namespace
}  // namespace cloister::http
