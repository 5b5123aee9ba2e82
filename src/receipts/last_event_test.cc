#include "receipts/last_event.h"

#include <gtest/gtest.h>

namespace cloister::receipts {
namespace {

TEST(LastEvent, IsKnownByItsName) {
  for (const char* piece :
       {"data: [DONE]\n\n", "data: {\"a\":1}\n\ndata: [DONE]\n\n", "data: {}\r\n\r\ndata: [DONE]\r\n\r\n",
        "data:[DONE]\n\n", "data: [DONE]\n", "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        "event: response.completed\ndata: {\"response\":{}}\n\n",
        "event: a\ndata: x\n\nevent: response.incomplete\ndata: {}\n\n"}) {
    EXPECT_TRUE(ends_with_last_event(piece)) << piece;
  }
  for (const char* piece :
       {"", "\n\n", "data: {\"text\":\"data: [DONE]\"}\n\n", "data: [DONE]\n\ndata: {}\n\n",
        "data: {\"a\":\"event: message_stop\"}\n\n", "event: message_start\ndata: {}\n\n", ": ping\n\n"}) {
    EXPECT_FALSE(ends_with_last_event(piece)) << piece;
  }
}

}  // namespace
}  // namespace cloister::receipts
