// cloister audit replay: checks whether the model that a receipt names gives the archived reply again.
#include <memory>

#include "apps/audit/replay.h"
#include "apps/commands.h"
#include "apps/model_parts.h"
#include "apps/numbers.h"
#include "apps/output.h"
#include "apps/verify/archive_subject.h"
#include "base/file.h"
#include "base/log.h"
#include "codec/json.h"
#include "evidence/archive.h"
#include "verify/replay.h"

namespace cloister::apps {
namespace {

struct ReplayOptions : VerifyOptions {
  config::ServeOptions engine;
};

// The document whose digest the receipt should name: the report's, else the manifest next to it.
Result<Json> model_document(const evidence::Archive& archive) {
  if (archive.report) {
    TRY(report, codec::parse_json(*archive.report, {.max_bytes = 64u << 20}));
    if (report.is_object() && report.contains("model")) return report["model"];
  }
  if (!archive.model_manifest) return Json();
  return codec::parse_json(*archive.model_manifest);
}

#ifdef CLOISTER_HAVE_LLAMA
int number(const evidence::ModelIdentity& model, const char* name) {
  const auto found = model.settings.find(name);
  return found != model.settings.end() && found->second.is_number_integer() ? found->second.get<int>() : 0;
}

// The engine with the identity's settings, except what the command line overrides.
Result<engine::LlamaOptions> options_for(const evidence::ModelIdentity& model, const config::ServeOptions& given) {
  config::ServeOptions options = given;
  options.model_id = model.id;
  options.parallel = number(model, "parallel");
  options.context_tokens = static_cast<int>(model.context_length.value_or(0));
  if (options.threads == 0) options.threads = number(model, "threads");
  options.gpu_layers = model.settings.contains("gpu_layers") && model.settings.at("gpu_layers").is_number()
                           ? number(model, "gpu_layers")
                           : -1;
  const auto shared = model.settings.find("share_prompt_cache");
  options.share_prompt_cache = shared != model.settings.end() && shared->second == Json(true);
  options.lock_model = "off";
  return llama_options(options);
}

Result<void> replay_here(const ReplayCase& asked, const ReplayOptions& options, verify::Verdict& verdict) {
  if (!verify::is_replayable(asked.model)) {
    verify::check_replay_model(asked.model, {}, false, verdict);
    return {};
  }
  TRY(llama, options_for(asked.model, options.engine));
  TRY(engine, engine::make_llama_engine(std::move(llama)));
  TRY_VOID(wait_ready(*engine));
  TRY(here, evidence::parse_model_identity(*engine->models().front().identity));
  if (!verify::check_replay_model(asked.model, std::move(here), options.engine.threads != 0, verdict)) return {};
  return replay(*engine, asked, verdict);
}
#else
Result<void> replay_here(const ReplayCase&, const ReplayOptions&, verify::Verdict&) {
  return fail(ErrorCode::kUsage, "this program was built without the embedded engine, which would compute it again");
}
#endif

Result<verify::Verdict> audit(const ReplayOptions& options) {
  log::configure(log::Level::kWarn);
  TRY(text, read_input(options.target, "archive"));
  TRY(archive, evidence::parse_archive(text));
  TRY(verdict, verify_archive_file(options));
  verdict.subject = "replay";
  if (verdict.outcome() == verify::Outcome::kRejected) {
    verify::skip_replay(verdict);
    return verdict;
  }
  if (!archive.request || !archive.response) {
    verify::check_replay_request("the archive holds no bodies", verdict);
    return verdict;
  }
  TRY(document, model_document(archive));
  const Result<ReplayCase> asked = read_replay_case(archive.receipt, *archive.request, *archive.response, document);
  if (!asked) {
    verify::check_replay_request(asked.error().message, verdict);
    return verdict;
  }
  verify::check_replay_request(std::nullopt, verdict);
  TRY_VOID(replay_here(*asked, options, verdict));
  return verdict;
}

void print_result(const verify::Verdict& verdict) {
  const auto facts = verdict.facts.find("replay");
  if (facts == verdict.facts.end()) {
    say("not replayed");
  } else if ((*facts)["reproduced"].get<bool>()) {
    say("reproduced: " + std::to_string((*facts)["tokens"].get<std::uint64_t>()) + " tokens");
  } else {
    say("differs at token " + std::to_string((*facts)["differs_at_token"].get<std::int64_t>()));
  }
}

}  // namespace

void add_audit_command(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand("audit", "check archived replies");
  command->require_subcommand(1);
  CLI::App* replay = command->add_subcommand("replay", "verify an archive, then ask the model again and compare");
  auto options = std::make_shared<ReplayOptions>();
  replay
      ->add_option("ARCHIVE", options->target,
                   "what verify receipt --archive or chat --archive wrote; - is standard input")
      ->required();
  replay->add_option("--model", options->engine.model_path, "GGUF file of the model that answered")->required();
  replay->add_option("--chat-template", options->engine.chat_template_file,
                     "the chat template that the node was given, if any");
  replay->add_option("--threads", options->engine.threads, "engine threads; 0 = as many as the node had")
      ->check(whole_number_in(0, 1024))
      ->capture_default_str();
  bind_judge_options(*replay, *options, false);
  replay->add_option(
      "--at", options->at,
      "time of the verdict about the archive; without it the time in the archive counts, and the verdict is undetermined at best");
  replay->add_option("--nonce", options->nonce, "the nonce that you asked for the report with, 64 hex characters");
  refuse_empty_values(*command);
  replay->callback([options, &exit_status] {
    const Result<verify::Verdict> verdict = audit(*options);
    if (verdict && !options->json) print_result(*verdict);
    exit_status = verdict ? print_verdict(*verdict, *options) : print_error("audit", verdict.error());
  });
}

}  // namespace cloister::apps
