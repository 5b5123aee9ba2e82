// ReplyFacts: what the node has observed of one inference request and its reply. Receipts are made from them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/owner.h"
#include "evidence/event_salts.h"
#include "evidence/known_answers_result.h"
#include "evidence/reply_outcome.h"
#include "identity/identity.h"

namespace cloister::receipts {

struct ReplyFacts {
  std::string receipt_id;
  std::string request_id;  // the node's id: x-request-id, and the reply's "id" where this node writes the reply
  std::string reply_id;    // the "id" in the reply's body; empty where it has none
  std::shared_ptr<const identity::Epoch> epoch;  // the epoch in force when the request came
  Owner owner{};
  std::string endpoint;              // "/v1/chat/completions"
  std::optional<std::string> model;  // as asked for
  ByteArray<32> request_sha256{};
  // Digest of the bytes that the engine was given; absent when the engine was given none.
  std::optional<ByteArray<32>> forwarded_sha256;

  int status = 200;
  std::string error;                // stable id of what went wrong; empty when nothing did
  bool cut = false;                 // the client did not get all of it
  ByteArray<32> response_sha256{};  // digest of what was handed to the socket
  std::uint64_t response_bytes = 0;
  bool event_stream = false;
  std::vector<evidence::EventHash> events;  // SHA-256 of each complete event
  evidence::SaltSeed reply_secret{};        // for a stream of events: the salt of their leaves
  bool too_many_events = false;             // the receipt then has no tree of the events

  // False: the server that answered is not in this TEE, and nobody verified it.
  bool served_here = true;
  std::string engine;
  // For this node's own engines: the id under which the model is served. For another server's reply: the name that the
  // reply says; empty where the reply says none.
  std::string served_model;
  bool model_told_by_reply = false;                  // the name comes from the reply of another server
  std::optional<ByteArray<32>> served_model_digest;  // of the identity under which that model is listed
  std::shared_ptr<const evidence::KnownAnswersResult>
      known_answers;                              // the last test that the model passed; null where it is not tested
  std::optional<evidence::ReplyOutcome> outcome;  // present when the engine told how the reply ended
};

}  // namespace cloister::receipts
