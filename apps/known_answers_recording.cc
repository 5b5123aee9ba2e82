#include "apps/known_answers_recording.h"

#include "apps/model_parts.h"
#include "apps/numbers.h"
#include "apps/output.h"
#include "apps/serve_parts.h"
#include "base/clock.h"
#include "base/file.h"
#include "crypto/hash.h"
#include "engine/known_answers/engine_ask.h"
#include "engine/known_answers/recorder.h"
#include "engine/upstream/recording_ask.h"
#include "evidence/json_reader.h"

namespace cloister::apps {
namespace {

Result<void> write_answers(const RecordingOptions& options, const engine::Recording& recording) {
  TRY(digest, evidence::known_answers_digest(recording.answers));
  // In ASCII, so that a model's text cannot act on a terminal.
  TRY_VOID(write_file_atomically(options.file, evidence::to_json(recording.answers).dump(1, ' ', true) + "\n", 0644));
  print_line(stderr, "known_answers " + evidence::digest_text(digest) +
                         " cases=" + std::to_string(recording.answers.cases.size()) +
                         " tokens=" + std::to_string(recording.answers.positions()) +
                         " deviation=" + evidence::difference_text(recording.deviation) +
                         " tolerance=" + evidence::difference_text(recording.answers.tolerance));
  return {};
}

#ifdef CLOISTER_HAVE_LLAMA
std::string engine_text(const evidence::ModelEngine& engine) {
  std::string out = engine.name;
  for (const auto* part : {&engine.commit, &engine.backend, &engine.instructions}) {
    if (*part) out += " " + **part;
  }
  return evidence::identity_text(out);
}
#endif

}  // namespace

void bind_recording_options(CLI::App& command, RecordingOptions& o) {
  command.add_option(
      "--known-answers", o.file,
      "also ask the model and write its answers to this file. Record them on a machine that is known to compute correctly");
  command
      .add_option(
          "--tolerance", o.tolerance,
          "the largest average difference of log probabilities that passes later; a smaller value finds smaller faults, but may reject other sound machines")
      ->check(number_in(0.000001, 0.2))
      ->capture_default_str();
  command
      .add_option("--upstream", o.upstream,
                  "in place of FILE: ask the OpenAI server at this URL, as serve --upstream names it")
      ->needs("--known-answers");
  command.add_option("--model", o.model, "the model of --upstream, as the server lists it")->needs("--upstream");
  command.add_option("--upstream-key-file", o.key_file, "bearer token for the upstream, one line")->needs("--upstream");
}

#ifdef CLOISTER_HAVE_LLAMA
Result<void> record_own_answers(const RecordingOptions& options, engine::LlamaOptions llama,
                                const evidence::ModelIdentity& identity) {
  llama.known_answers = nullptr;
  TRY(engine, engine::make_llama_engine(std::move(llama)));
  TRY_VOID(wait_ready(*engine));
  evidence::KnownAnswers head;
  head.model_id = identity.id;
  head.weights_digest = identity.weights->digest;
  head.chat_template_digest = identity.chat_template_digest;
  head.engine = engine_text(identity.engine);
  head.recorded_at = system_clock().now();
  head.tolerance = options.tolerance;
  engine::EngineAsk ask([&engine](engine::EngineRequest request, std::shared_ptr<engine::ReplySink> sink) {
    return engine->start(std::move(request), std::move(sink));
  });
  const engine::Question question{engine->models().front().id, Json::object()};
  print_line(stderr, "known answers: the model is loaded; asking it takes from seconds to minutes");
  // Each request has a tenant of its own, so that no cache of an earlier one answers in place of the computation.
  TRY(recording, engine::record_known_answers(head, question, [&](const std::string& body) {
        ByteArray<16> tenant;
        crypto::fill_random(tenant);
        return ask.ask(body, tenant);
      }));
  return write_answers(options, recording);
}
#endif

Result<void> record_upstream_answers(const RecordingOptions& options) {
  if (options.model.empty())
    return fail(ErrorCode::kUsage, "--upstream needs --model: the name under which the server lists the model");
  std::string token;
  if (!options.key_file.empty()) {
    TRY(read, read_token(options.key_file));
    token = std::move(read);
  }
  TRY(server, engine::open_recording(options.upstream, token, options.model));
  evidence::KnownAnswers head;
  head.model_id = evidence::identity_text(options.model);
  head.engine = evidence::identity_text(server->description());
  head.recorded_at = system_clock().now();
  head.tolerance = options.tolerance;
  TRY(recording, engine::record_known_answers(head, {options.model, Json::object()}, server->ask()));
  return write_answers(options, recording);
}

}  // namespace cloister::apps
