// The tap and the witness allocate nothing for a piece of a stream, but for the growing list of the events' hashes.
#include <gtest/gtest.h>

#include <string>

#include "base/testing/counted_allocations.h"
#include "receipts/plaintext_tap.h"
#include "receipts/wire_witness.h"

namespace cloister::receipts {
namespace {

using cloister::testing::allocations;

TEST(ObservedPiece, AllocatesNothing) {
  const std::string event = "data: {\"choices\":[{\"delta\":{\"content\":\"word\"}}]}\n\n";
  constexpr std::size_t kPieces = 1 << 12;
  PlaintextTap tap;
  WireWitness witness;
  tap.expect_events();
  const std::size_t before = allocations;
  for (std::size_t i = 0; i < kPieces; ++i) {
    witness.on_sent(event);
    tap.on_outgoing(event);
  }
  // The list doubles twelve times; the hash of the first event is one more.
  EXPECT_LE(allocations - before, 12u + 2u);
  EXPECT_EQ(tap.finish().hashes.size(), kPieces);
}

}  // namespace
}  // namespace cloister::receipts
