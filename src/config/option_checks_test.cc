#include "config/option_checks.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "config/option_conflicts.h"

namespace cloister::config {
namespace {

ServeOptions echo() {
  ServeOptions options;
  options.engine = "echo";
  return options;
}

ServeOptions upstream() {
  ServeOptions options;
  options.upstreams = {"http://127.0.0.1:9"};
  return options;
}

ServeOptions llama() {
  ServeOptions options;
  options.engine = "llama";
  options.model_path = "model.gguf";
  return options;
}

TEST(OptionChecks, AcceptOptionsThatFit) {
  for (ServeOptions options : {echo(), upstream(), llama()}) {
    EXPECT_TRUE(check_options(options));
    options.listen = "0.0.0.0:8443";
    options.api_key_file = "tokens";
    options.tls = "tee-key";
    options.tls_names = {"node.example"};
    options.tls_certificate_file = "chain.pem";
    options.tls_request_file = "request";
    options.receipts = "postgres";
    options.receipt_postgres_file = "connection";
    options.receipts_survive = "power";
    options.tee_socket = "socket";
    options.replicas = {"https://other.example"};
    options.cors_origins = {"*", "https://app.example"};
    options.source_repo = "https://example.org/repository";
    options.source_commit = "0123abc";
    options.image_digest = "sha256:" + std::string(64, 'a');
    const auto checked = check_options(options);
    EXPECT_TRUE(checked) << checked.error().message;
  }
}

TEST(OptionChecks, NameWhatIsWrong) {
  struct Case {
    ServeOptions options;
    std::function<void(ServeOptions&)> change;
    const char* words;
  };
  using O = ServeOptions;
  const Case cases[] = {
      {echo(), [](O& o) { o.listen = "nowhere"; }, "--listen wants"},
      {echo(), [](O& o) { o.listen = "0.0.0.0:80"; }, "without tokens would serve all callers"},
      {echo(), [](O& o) { o.no_auth = true, o.api_key_file = "t"; }, "--no-auth and --api-key-file"},
      {echo(), [](O& o) { o.tls = "tee-key"; }, "--tls tee-key: "},
      {echo(), [](O& o) { o.tls_certificate_file = "c"; }, "--tls-cert needs --tls-key"},
      {echo(), [](O& o) { o.tls = "self-signed", o.tls_certificate_file = "c"; }, "--tls self-signed and --tls-cert"},
      {echo(), [](O& o) { o.tls = "self-signed", o.tls_key_file = "k"; }, "takes no --tls-key"},
      {echo(), [](O& o) { o.tls_names = {"a"}; }, "--tls-name would do nothing"},
      {echo(), [](O& o) { o.tls_request_file = "r"; }, "--tls-csr would do nothing"},
      {echo(), [](O& o) { o.upstream_key_file = "k"; }, "--upstream-key-file needs --upstream"},
      {echo(), [](O& o) { o.upstream_model_files = "m"; }, "--upstream-model-files needs --upstream"},
      {echo(), [](O& o) { o.upstreams = {"http://127.0.0.1:9"}; }, "--upstream needs --engine upstream"},
      {echo(), [](O& o) { o.cache_salt = "on"; }, "--cache-salt on would do nothing"},
      {echo(), [](O& o) { o.known_answers = {"a.json"}; }, "--known-answers would do nothing"},
      {echo(), [](O& o) { o.lock_model = "on"; }, "--lock-model on would do nothing"},
      {echo(), [](O& o) { o.model_path = "m"; }, "--model would do nothing"},
      {upstream(), [](O& o) { o.model_path = "m"; }, "--model and --upstream exclude each other"},
      {upstream(), [](O& o) { o.upstreams = {"https://127.0.0.1:9"}; }, "--upstream: "},
      {llama(), [](O& o) { o.model_path = ""; }, "--model is required"},
      {llama(), [](O& o) { o.echo_tokens = 1; }, "--echo-... would do nothing"},
      {llama(),
       [](O& o) {
         o.known_answers = {"none", "a.json"};
       },
       "--known-answers none excludes"},
      {echo(), [](O& o) { o.tee = "tsm", o.tee_socket = "s"; }, "--tee-socket belongs to --tee dstack"},
      {echo(), [](O& o) { o.tee = "none", o.tsm_root = "r"; }, "--tsm-root belongs to --tee tsm"},
      {echo(), [](O& o) { o.tee_socket = "s", o.tsm_root = "r"; }, "--tee-socket and --tsm-root"},
      {echo(), [](O& o) { o.require_gpu_tee = "off", o.gpu_policy_file = "p"; }, "--gpu-policy would do nothing"},
      {echo(), [](O& o) { o.require_gpu_tee = "on", o.allow_non_cc_gpu = true; }, "--require-gpu-tee on and"},
      {echo(), [](O& o) { o.gpu = "none", o.nvml_library = "l"; }, "--nvml-library would do nothing"},
      {echo(), [](O& o) { o.rim_dir = "/nowhere"; }, "--rim-dir: /nowhere is no folder"},
      {echo(), [](O& o) { o.receipts = "memory", o.receipts_survive = "power"; }, "--receipts-survive power would do"},
      {echo(), [](O& o) { o.receipts = "memory", o.receipt_file = "f"; }, "--receipt-file would do nothing"},
      {echo(), [](O& o) { o.receipt_postgres_file = "f"; }, "--receipt-postgres-file would do nothing"},
      {echo(), [](O& o) { o.receipts = "postgres"; }, "--receipts postgres: "},
      {echo(), [](O& o) { o.replicas = {"nonsense"}; }, "--replica: "},
      {echo(), [](O& o) { o.cors_origins = {"https://App.example"}; }, "--cors-origin: "},
      {echo(), [](O& o) { o.cors_origins = {"https://a.example/path"}; }, "--cors-origin: "},
      {echo(), [](O& o) { o.source_repo = "example.org"; }, "--source-repo: "},
      {echo(), [](O& o) { o.source_commit = "HEAD"; }, "--source-commit: "},
      {echo(), [](O& o) { o.image_digest = "sha256:ab"; }, "--image-digest: "},
  };
  for (const Case& one : cases) {
    ServeOptions options = one.options;
    ASSERT_TRUE(check_options(options)) << one.words;
    one.change(options);
    const auto checked = check_options(options);
    ASSERT_FALSE(checked) << one.words;
    EXPECT_EQ(checked.error().code, ErrorCode::kUsage) << one.words;
    EXPECT_NE(checked.error().message.find(one.words), std::string::npos) << checked.error().message;
  }
}

}  // namespace
}  // namespace cloister::config
