#include "receipts/wire_witness.h"

#include <gtest/gtest.h>

#include <string>

namespace cloister::receipts {
namespace {

TEST(WireWitness, SeesTheSameBytesWhateverThePieces) {
  const std::string bytes = "data: {}\n\ndata: [DONE]\n\n" + std::string(1, '\0') + std::string(5000, '\xff');
  for (const std::size_t piece : {1u, 3u, 64u, 4096u, 10'000u}) {
    WireWitness witness;
    for (std::size_t at = 0; at < bytes.size(); at += piece) witness.on_sent(std::string_view(bytes).substr(at, piece));
    const WireWitness::Seen seen = witness.finish(false);
    EXPECT_EQ(seen.sha256, crypto::sha256(as_bytes(bytes)));
    EXPECT_EQ(seen.bytes, bytes.size());
    EXPECT_FALSE(seen.cut);
  }
}

TEST(WireWitness, AReplyThatWasCutIsWhatWasSent) {
  WireWitness witness;
  witness.on_sent("half of ");
  const WireWitness::Seen seen = witness.finish(true);
  EXPECT_EQ(seen.sha256, crypto::sha256(as_bytes("half of ")));
  EXPECT_EQ(seen.bytes, 8u);
  EXPECT_TRUE(seen.cut);
}

}  // namespace
}  // namespace cloister::receipts
