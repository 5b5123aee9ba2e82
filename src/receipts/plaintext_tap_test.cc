#include "receipts/plaintext_tap.h"

#include <gtest/gtest.h>

#include <string>

namespace cloister::receipts {
namespace {

struct Dialect {
  const char* name;
  const char* stream;
  const char* id;
  const char* model;
  const char* usage;
  const char* reason;
};

// A stream of each dialect, with the line ends that servers write.
const Dialect kDialects[] = {
    {"chat",
     "data: {\"id\":\"chatcmpl-1\",\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"a\\n\\nb\"}}]}\n\n"
     ": ping\n\n"
     "data: {\"id\":\"chatcmpl-1\",\"model\":\"m\",\"choices\":[{\"finish_reason\":\"stop\"}],"
     "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\n"
     "data: [DONE]\n\n",
     "chatcmpl-1", "m", "{\"prompt_tokens\":3,\"completion_tokens\":1}", "stop"},
    {"messages",
     "event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"m\","
     "\"usage\":{\"input_tokens\":3}}}\r\n\r\n"
     "event: message_delta\r\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},"
     "\"usage\":{\"output_tokens\":1}}\r\n\r\n"
     "event: message_stop\r\ndata: {\"type\":\"message_stop\"}\r\n\r\n",
     "msg_1", "m", "{\"output_tokens\":1}", "end_turn"},
    {"responses",
     "event: response.created\rdata: {\"response\":{\"id\":\"resp_1\",\"model\":\"m\"}}\r\r"
     "event: response.completed\rdata: {\"response\":{\"id\":\"resp_1\",\"model\":\"m\","
     "\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\r\r",
     "resp_1", "m", "{\"input_tokens\":3,\"output_tokens\":1}", ""},
};

void show(PlaintextTap& tap, std::string_view text, std::size_t piece) {
  for (std::size_t at = 0; at < text.size(); at += piece) {
    tap.on_incoming(text.substr(at, piece));
    tap.on_outgoing(text.substr(at, piece));
  }
}

std::vector<evidence::EventHash> hashes_of(std::string_view stream) {
  std::vector<evidence::EventHash> hashes;
  for (const std::string_view event : codec::split_events(stream).events) {
    hashes.push_back(crypto::sha256(as_bytes(event)));
  }
  return hashes;
}

TEST(PlaintextTap, HashesEachEventWhateverThePieces) {
  for (const Dialect& dialect : kDialects) {
    const std::string_view stream = dialect.stream;
    const auto expected = hashes_of(stream);
    ASSERT_GE(expected.size(), 2u);
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
      PlaintextTap tap;
      tap.expect_events();
      show(tap, stream, piece);
      const PlaintextTap::Events events = tap.finish();
      EXPECT_EQ(events.hashes, expected) << dialect.name << ", pieces of " << piece;
      EXPECT_FALSE(events.too_many);
    }
  }
}

TEST(PlaintextTap, AStreamThatIsCutHasTheEventsThatWereWhole) {
  for (const Dialect& dialect : kDialects) {
    const std::string_view stream = dialect.stream;
    for (std::size_t size = 0; size <= stream.size(); ++size) {
      PlaintextTap tap;
      tap.expect_events();
      show(tap, stream.substr(0, size), 7);
      EXPECT_EQ(tap.finish().hashes, hashes_of(stream.substr(0, size))) << dialect.name << ", " << size << " bytes";
    }
  }
}

TEST(PlaintextTap, ReadsWhatAnotherServersReplySays) {
  for (const Dialect& dialect : kDialects) {
    const std::string_view stream = dialect.stream;
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
      PlaintextTap tap;
      tap.expect_words(true);
      show(tap, stream, piece);
      ASSERT_NE(tap.words(), nullptr);
      EXPECT_EQ(tap.words()->id(), dialect.id) << dialect.name << ", pieces of " << piece;
      EXPECT_EQ(tap.words()->model(), dialect.model);
      EXPECT_EQ(tap.words()->usage(), dialect.usage);
      EXPECT_EQ(tap.words()->reason(), dialect.reason);
    }
  }
}

TEST(PlaintextTap, ReadsOneBodyToo) {
  PlaintextTap tap;
  tap.expect_words(false);
  show(tap, R"({"id":"emb-1","model":"m","data":[]})", 3);
  EXPECT_EQ(tap.words()->id(), "emb-1");
  EXPECT_TRUE(tap.finish().hashes.empty()) << "a body is no event";
}

TEST(PlaintextTap, ReadsAndHashesOnlyWhatItWasToldToExpect) {
  PlaintextTap tap;
  show(tap, kDialects[0].stream, 50);
  EXPECT_EQ(tap.words(), nullptr);
  EXPECT_TRUE(tap.finish().hashes.empty());
}

}  // namespace
}  // namespace cloister::receipts
