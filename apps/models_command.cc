// cloister models manifest: the identity of a model, as the node that serves it would state it
// (docs/spec/model-identity.md), and the answers that it must give (docs/spec/known-answers.md).
#include <memory>

#include "apps/client_options.h"
#include "apps/commands.h"
#include "apps/file_options.h"
#include "apps/known_answers_recording.h"
#include "apps/model_parts.h"
#include "apps/output.h"
#include "apps/serve_options.h"
#include "base/file.h"
#include "base/log.h"
#include "codec/json.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"

namespace cloister::apps {
namespace {

struct ManifestOptions : config::ServeOptions {
  std::string out;
  RecordingOptions recording;
};

Result<void> write_manifest(const ManifestOptions& options) {
#ifdef CLOISTER_HAVE_LLAMA
  TRY(llama, llama_options(options));
  TRY(identity, engine::llama_model_identity(llama));
  TRY(digest, evidence::document_digest(identity));
  // In ASCII, since the names in a model file come from its supplier.
  const std::string text = identity.dump(2, ' ', true) + "\n";
  if (options.out.empty()) {
    print_bytes(stdout, text);
  } else {
    TRY_VOID(write_file_atomically(options.out, text, 0644));
  }
  print_line(stderr, "model_digest " + evidence::digest_text(digest));
  if (options.recording.file.empty()) return {};
  TRY(model, evidence::parse_model_identity(identity));
  return record_own_answers(options.recording, llama, model);
#else
  (void)options;
  return fail(ErrorCode::kUsage, "this program was built without the embedded engine, which reads the file");
#endif
}

Result<void> run(const ManifestOptions& options) {
  log::configure(log::Level::kWarn);
  TRY_VOID(check_can_write("--out", options.out));
  TRY_VOID(check_can_write("--known-answers", options.recording.file));
  const bool file = !options.model_path.empty(), upstream = !options.recording.upstream.empty();
  if (file && upstream) return fail(ErrorCode::kUsage, "FILE and --upstream exclude each other");
  if (file) return write_manifest(options);
  if (!upstream)
    return fail(ErrorCode::kUsage, "FILE is required: the GGUF file; or --upstream, to record what its model answers");
  if (!options.out.empty())
    return fail(ErrorCode::kUsage,
                "--out is of a manifest, and only a FILE has one; the answers go to --known-answers");
  return record_upstream_answers(options.recording);
}

}  // namespace

void add_models_command(CLI::App& app, int& exit_status) {
  CLI::App* models = app.add_subcommand(
      "models", "write the identity and the known answers of a model, to publish and to compare with");
  models->require_subcommand(1);
  CLI::App* manifest = models->add_subcommand(
      "manifest",
      "write the identity of a model, as a node with these options serves it: for verify --model-manifest; with "
      "--known-answers also what it answers: for serve --known-answers");
  auto options = std::make_shared<ManifestOptions>();
  manifest->add_option("FILE", options->model_path, "GGUF file; the first one for a model in several parts");
  bind_model_options(*manifest, *options);
  manifest->add_option("--out", options->out, "write it to this file; default: standard output");
  bind_recording_options(*manifest, options->recording);
  manifest->callback([options, &exit_status] {
    const Result<void> written = run(*options);
    if (!written) exit_status = print_error("models", written.error());
    // This is a fault of the model, not of the call.
    if (!written && written.error().code == ErrorCode::kUpstreamBroken) exit_status = kExitFailed;
  });
}

}  // namespace cloister::apps
