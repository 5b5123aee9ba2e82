#include "serve/transcript.h"

#include "evidence/chat_signature.h"

namespace cloister::serve {

void Transcript::on_complete() {
  SignedReply reply;
  reply.request_sha256 = request_sha256_;
  reply.response_sha256 = response_.finish();
  std::string text = evidence::signed_text(reply.request_sha256, reply.response_sha256);
  reply.ecdsa = context_.keyring.sign_ecdsa(text);
  context_.signatures.put(id_, owner_, reply);
  if (reply_id_ && !reply_id_->id().empty()) context_.signatures.put(reply_id_->id(), owner_, reply);
  context_.metrics.count_signature();
}

}  // namespace cloister::serve
