#include "tee/tdx/runtime_register.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/encoding.h"
#include "base/file.h"
#include "base/result_testing.h"
#include "tee/testing/tee_test_util.h"

namespace cloister::tee {
namespace {

namespace fs = std::filesystem;

// Acts as the kernel: a write extends what a read then returns.
class RuntimeRegisterTest : public testing::FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    put(ByteArray<48>{});
    ASSERT_TRUE(write_file_atomically(folder_ / "boot_id", "0a1b-2c\n", 0600));
  }

  void put(const ByteArray<48>& value) {
    ASSERT_TRUE(write_file_atomically(folder_ / "rtmr3:sha384", as_text(value), 0600));
  }
  ByteArray<48> value() const {
    const Bytes bytes = to_bytes(as_bytes(*read_file(folder_ / "rtmr3:sha384", 100)));
    ByteArray<48> out;
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
  }
  void extend_register(ByteView digest) {
    ByteArray<48> added;
    ASSERT_EQ(digest.size(), added.size());
    std::copy(digest.begin(), digest.end(), added.begin());
    put(evidence::extend(value(), added));
  }

  RuntimeRegister make() {
    RuntimeRegisterOptions options;
    options.register_file = folder_ / "rtmr3:sha384";
    options.log_folder = folder_ / "run";
    options.boot_id_file = folder_ / "boot_id";
    options.write = [this](ByteView digest) -> Result<void> {
      if (refuse_) return fail(ErrorCode::kTeeFailed, "refused");
      extend_register(digest);
      return {};
    };
    return RuntimeRegister(std::move(options));
  }

  fs::path log() const { return folder_ / "run" / "rtmr3-0a1b-2c.events"; }

  bool refuse_ = false;
};

TEST_F(RuntimeRegisterTest, TheLogReplaysToTheRegister) {
  const RuntimeRegister runtime = make();
  EXPECT_TRUE(runtime.available());
  EXPECT_TRUE(runtime.events()->empty());
  ASSERT_TRUE(runtime.extend("model", as_bytes("digest")));
  ASSERT_TRUE(runtime.extend("policy", {}));
  const auto events = make().events();  // another process
  ASSERT_TRUE(events) << events.error().message;
  ASSERT_EQ(events->size(), 2u);
  EXPECT_EQ((*events)[0].name, "model");
  EXPECT_EQ(as_text((*events)[0].payload), "digest");
  EXPECT_EQ((*events)[0].digest, evidence::runtime_event_digest("model", as_bytes("digest")));
  ByteArray<48> replayed{};
  for (const evidence::Event& event : *events) replayed = evidence::extend(replayed, event.digest);
  EXPECT_EQ(replayed, value());
}

TEST_F(RuntimeRegisterTest, ManyWritersMakeOneLog) {
  const RuntimeRegister runtime = make();
  std::vector<std::thread> threads;
  std::atomic<int> done = 0;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] { done += runtime.extend("event-" + std::to_string(t), {}).has_value(); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, 6);
  ByteArray<48> replayed{};
  const auto events = runtime.events();
  for (const evidence::Event& event : *events) replayed = evidence::extend(replayed, event.digest);
  EXPECT_EQ(replayed, value());
}

TEST_F(RuntimeRegisterTest, AnEntryThatWasNeverExtendedIsLeftOut) {
  const RuntimeRegister runtime = make();
  ASSERT_TRUE(runtime.extend("first", {}));
  refuse_ = true;
  EXPECT_REFUSED(runtime.extend("second", {}), "refused");  // in the log, not in the register
  EXPECT_EQ(runtime.events()->size(), 1u);
  refuse_ = false;
  ASSERT_TRUE(runtime.extend("third", {}));
  const auto events = runtime.events();
  ASSERT_EQ(events->size(), 2u);
  EXPECT_EQ((*events)[1].name, "third");
}

TEST_F(RuntimeRegisterTest, ALineCutByACrashIsLeftOut) {
  const RuntimeRegister runtime = make();
  ASSERT_TRUE(runtime.extend("first", {}));
  const std::string whole = *read_file(log(), 1000);
  ASSERT_TRUE(write_file_atomically(log(), whole + whole.substr(0, whole.size() / 2), 0600));
  EXPECT_EQ(runtime.events()->size(), 1u);
  ASSERT_TRUE(runtime.extend("second", {}));
  EXPECT_EQ(runtime.events()->size(), 2u);
}

TEST_F(RuntimeRegisterTest, WhatSomebodyElseExtendedIsNoticed) {
  const RuntimeRegister runtime = make();
  // Before our first entry it belongs to somebody else: to an agent that has a log of its own.
  extend_register(ByteArray<48>{7});
  ASSERT_TRUE(runtime.extend("first", {}));
  extend_register(ByteArray<48>{8});
  const auto extended = runtime.extend("second", {});
  ASSERT_FALSE(extended);
  EXPECT_EQ(extended.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(extended.error().message.find("somebody else extended"), std::string::npos) << extended.error().message;
  EXPECT_EQ(runtime.events()->size(), 1u);
}

TEST_F(RuntimeRegisterTest, ARegisterThatDoesNotMoveIsAnError) {
  RuntimeRegisterOptions options;
  options.register_file = folder_ / "rtmr3:sha384";
  options.log_folder = folder_ / "run";
  options.boot_id_file = folder_ / "boot_id";
  options.write = [](ByteView) -> Result<void> { return {}; };
  EXPECT_EQ(RuntimeRegister(options).extend("first", {}).error().code, ErrorCode::kTeeFailed);
}

TEST_F(RuntimeRegisterTest, EachBootHasALogOfItsOwn) {
  ASSERT_TRUE(make().extend("first", {}));
  ASSERT_TRUE(write_file_atomically(folder_ / "boot_id", "ffff\n", 0600));
  put(ByteArray<48>{});
  EXPECT_TRUE(make().events()->empty());
  for (const char* id : {"", "../x", "a b"}) {
    ASSERT_TRUE(write_file_atomically(folder_ / "boot_id", id, 0600));
    EXPECT_FALSE(make().events()) << id;
  }
}

TEST_F(RuntimeRegisterTest, ADamagedLogIsAnErrorThatNamesTheLine) {
  ASSERT_TRUE(make().extend("first", {}));
  ASSERT_TRUE(write_file_atomically(log(), *read_file(log(), 1000) + "{}\n", 0600));
  const auto events = make().events();
  ASSERT_FALSE(events);
  EXPECT_NE(events.error().message.find("line 2"), std::string::npos) << events.error().message;
  EXPECT_FALSE(make().extend("second", {}));
}

TEST_F(RuntimeRegisterTest, NamesOfTheBootAndOddNamesAreRefused) {
  for (const char* name : {"", "a b", "a:b", "compose-hash", "app-id", "system-ready"}) {
    EXPECT_EQ(make().extend(name, {}).error().code, ErrorCode::kUsage) << name;
  }
  EXPECT_EQ(make().extend("large", Bytes(65537)).error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(value(), ByteArray<48>{});
}

}  // namespace
}  // namespace cloister::tee
