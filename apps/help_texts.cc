#include "apps/help_texts.h"

#include <string>
#include <string_view>

namespace cloister::apps {
namespace {

constexpr std::string_view kVerdictStatus =
    "Exit status: 0 accepted, 1 rejected, 2 wrong usage or input that cannot be read, 3 undetermined.";
constexpr std::string_view kReplayStatus =
    "Exit status: 0 the archive is accepted and the text is reproduced, 1 the archive is rejected or the text differs,\n"
    "2 wrong usage or a file that cannot be read, 3 undetermined.";
constexpr std::string_view kReceiptsStatus =
    "Exit status: 0 done, 1 the store or a file cannot be read or written, or holds no such receipt, 2 wrong usage, 130 interrupted.";

struct HelpText {
  std::string_view command;   // the command's words; "" is the program
  std::string_view examples;  // in a form that a shell takes
  std::string_view status;
};

constexpr HelpText kHelpTexts[] = {
    {"",
     "  cloister serve --model model.gguf\n"
     "  cloister verify host https://node.example\n"
     "  cloister chat https://node.example \"What is the capital of France?\"\n",
     "Exit status: 0 done, or accepted; 1 failed, or rejected; 2 wrong usage or input that cannot be read; 3 undetermined.\n"
     "Each command's --help lists its own statuses."},
    {"serve",
     "  cloister serve --model model.gguf --tls self-signed --listen 0.0.0.0:8443 --api-key-file tokens\n"
     "  cloister serve --upstream http://127.0.0.1:8000\n"
     "  cloister --config /etc/cloister/cloister.toml serve\n",
     "Exit status: 0 stopped by a signal, 1 it could not start or go on, 2 wrong usage."},
    {"verify",
     "  cloister verify host https://node.example --policy policy.toml\n"
     "  cloister verify --explain tdx.tcb.status\n"
     "  cloister verify --default-policy > policy.toml\n",
     kVerdictStatus},
    {"verify host",
     "  cloister verify host https://node.example --policy policy.toml --bundle evidence.json\n"
     "  cloister verify host http://127.0.0.1:8080 --accept-simulator\n",
     kVerdictStatus},
    {"verify report",
     "  N=$(openssl rand -hex 32); curl -s \"http://127.0.0.1:8080/v1/cloister/attestation?nonce=$N\" > report.json\n"
     "  cloister verify report report.json --nonce $N --accept-simulator\n"
     "  cloister verify report of_an_https_service.json --nonce HEX --tls-key HEX\n",
     kVerdictStatus},
    {"verify quote",
     "  cloister verify quote quote.bin --policy policy.toml\n"
     "  cloister verify quote quote.bin --event-log log.json --app-compose app-compose.json --report-data HEX\n",
     kVerdictStatus},
    {"verify gpu",
     "  cloister verify gpu evidence.json --nonce HEX\n"
     "  cloister verify gpu report.hex --chain certificates.pem --nonce HEX --rim-dir manifests\n",
     kVerdictStatus},
    {"verify snp",
     "  cloister verify snp report.bin --policy snp.toml --report-data HEX\n"
     "  cloister verify snp report.bin --policy snp.toml --collateral bundle.json --offline\n",
     kVerdictStatus},
    {"verify receipt",
     "  cloister verify receipt receipt.json --report report.json --nonce HEX --request request --response response\n"
     "  cloister verify receipt receipt.json --report report.json --nonce HEX --archive reply.archive\n",
     kVerdictStatus},
    {"verify session", "  cloister verify session session.json --receipt receipt.json\n", kVerdictStatus},
    {"verify archive", "  cloister verify archive reply.archive --at 2026-11-22T21:31:00Z --nonce HEX\n",
     kVerdictStatus},
    {"verify bundle",
     "  cloister verify host https://node.example --bundle evidence.json\n"
     "  cloister verify bundle evidence.json --at 2026-11-22T21:31:00Z --nonce HEX\n",
     kVerdictStatus},
    {"verify signature",
     "  cloister verify signature signature.json --request request --response response --address 0xHEX\n",
     kVerdictStatus},
    {"verify proof",
     "  cloister chat https://node.example \"Hello\" --save proof.json\n"
     "  cloister verify proof proof.json --at 2026-11-22T21:31:00Z --nonce HEX\n",
     kVerdictStatus},
    {"chat",
     "  cloister chat https://node.example \"What is the capital of France?\" --policy policy.toml\n"
     "  cloister chat http://127.0.0.1:8080 --accept-simulator --temperature 0 --system \"\" < questions.txt\n",
     "Exit status, of the worst verdict: 0 accepted, 1 rejected, 2 wrong usage or a node that cannot be reached, 3 undetermined.\n"
     "Nothing is sent to a node that was not accepted."},
    {"simulator",
     "  cloister simulator --socket /tmp/dstack.sock\n"
     "  cloister serve --engine echo --tee dstack --tee-socket /tmp/dstack.sock\n",
     "Exit status: 0 stopped by a signal, 1 it could not start or go on, 2 wrong usage."},
    {"doctor",
     "  cloister doctor\n"
     "  cloister doctor --config /etc/cloister/cloister.toml --online\n",
     "Exit status: 0 the machine is ready for a node in a real TEE, 1 it is not, 2 wrong usage."},
    {"models", "  cloister models manifest model.gguf --out manifest.json\n",
     "Exit status: 0 done, 2 wrong usage or a file that cannot be read."},
    {"models manifest",
     "  cloister models manifest model.gguf --context 8192 --parallel 16 --threads 32 --out manifest.json\n"
     "  cloister models manifest model.gguf --out manifest.json --known-answers model.gguf.answers.json\n"
     "  cloister verify host https://node.example --model-manifest manifest.json\n",
     "Exit status: 0 written, 1 the model's answers cannot serve as known answers, 2 wrong usage or a file that cannot be read."},
    {"audit", "  cloister audit replay reply.archive --model model.gguf --at 2026-11-22T21:31:00Z --nonce HEX\n",
     kReplayStatus},
    {"audit replay", "  cloister audit replay reply.archive --model model.gguf --at 2026-11-22T21:31:00Z --nonce HEX\n",
     kReplayStatus},
    {"receipts",
     "  cloister receipts list --store /var/lib/cloister/receipts.db --tee dstack\n"
     "  cloister receipts export --postgres-file connection --tee dstack --out receipts.ndjson\n",
     kReceiptsStatus},
    {"receipts list",
     "  cloister receipts list --store /var/lib/cloister/receipts.db --tee dstack --since 2026-11-01T00:00:00Z --limit 20\n",
     kReceiptsStatus},
    {"receipts show", "  cloister receipts show chatcmpl-1234 --store .state/receipts.db --tee insecure-simulator\n",
     kReceiptsStatus},
    {"receipts export",
     "  cloister receipts export --store /var/lib/cloister/receipts.db --tee dstack --out receipts.ndjson\n",
     kReceiptsStatus},
    {"receipts import", "  cloister receipts import receipts.ndjson --store copy.db --tee dstack\n", kReceiptsStatus},
};

CLI::App& command_of(CLI::App& app, std::string_view words) {
  CLI::App* command = &app;
  while (!words.empty()) {
    const std::size_t end = words.find(' ');
    command = command->get_subcommand(std::string(words.substr(0, end)));
    words = end == std::string_view::npos ? std::string_view() : words.substr(end + 1);
  }
  return *command;
}

}  // namespace

void add_help_texts(CLI::App& app) {
  for (const HelpText& text : kHelpTexts) {
    command_of(app, text.command).footer("Examples:\n" + std::string(text.examples) + "\n" + std::string(text.status));
  }
}

}  // namespace cloister::apps
