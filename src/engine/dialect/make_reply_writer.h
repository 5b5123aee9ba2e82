// Chooses the writer of a reply.
#pragma once

#include <memory>

#include "engine/dialect/reply_writer.h"

namespace cloister::engine {

// Makes the writer for the four routes that generate. Embeddings and tokenize have one buffered form each: embeddings.h.
std::unique_ptr<ReplyWriter> make_reply_writer(ReplyHead head);

}  // namespace cloister::engine
