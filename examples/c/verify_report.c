/* Judges a saved attestation report: verify_report REPORT [COLLATERAL [NONCE_HEX [UNIX_SECONDS [POLICY]]]]
 * Exit status as `cloister verify`: 0 accepted, 1 rejected, 2 unreadable, 3 undetermined. "-" leaves an argument out.
 *
 * tests/abi builds it against build/release/libcloister_verify.so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cloister/cloister.h"

enum { EXIT_ACCEPTED = 0, EXIT_REJECTED = 1, EXIT_UNREADABLE = 2, EXIT_UNDETERMINED = 3 };

/* The text is the caller's to free; NULL when the file cannot be read. */
static char* read_all(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  char* text = NULL;
  if (file == NULL) return NULL;
  if (fseek(file, 0, SEEK_END) == 0) {
    const long length = ftell(file);
    if (length >= 0 && length <= 64L << 20 && fseek(file, 0, SEEK_SET) == 0) {
      text = malloc((size_t)length + 1);
      if (text != NULL) *size = fread(text, 1, (size_t)length, file);
    }
  }
  fclose(file);
  return text;
}

static int read_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int read_nonce(const char* hex, uint8_t nonce[32]) {
  size_t i;
  if (strlen(hex) != 64) return 0;
  for (i = 0; i < 32; ++i) {
    const int high = read_digit(hex[2 * i]), low = read_digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return 0;
    nonce[i] = (uint8_t)(high * 16 + low);
  }
  return 1;
}

typedef cloister_status (*setter)(cloister_verifier*, const char*, size_t);

static int set_from_file(cloister_verifier* verifier, setter set, const char* path) {
  size_t size = 0;
  char* text = read_all(path, &size);
  cloister_status status;
  if (text == NULL) {
    fprintf(stderr, "%s: cannot be read\n", path);
    return 0;
  }
  status = set(verifier, text, size);
  free(text);
  if (status != CLOISTER_OK) fprintf(stderr, "%s: %s\n", path, cloister_verifier_error(verifier));
  return status == CLOISTER_OK;
}

/* What keeps the verdict from being accepted, check by check. */
static void print_reasons(const cloister_verdict* verdict) {
  const size_t count = cloister_verdict_check_count(verdict);
  size_t i;
  for (i = 0; i < count; ++i) {
    cloister_check check = {0};
    check.struct_size = sizeof check;
    if (cloister_verdict_check(verdict, i, &check) != CLOISTER_OK) continue;
    if (check.state == CLOISTER_FAILED || (check.required && check.state == CLOISTER_SKIPPED))
      fprintf(stderr, "%s: %s: %s\n", check.id.data, cloister_state_text(check.state), check.detail.data);
  }
}

static int exit_status(cloister_outcome outcome) {
  switch (outcome) {
    case CLOISTER_ACCEPTED: return EXIT_ACCEPTED;
    case CLOISTER_REJECTED: return EXIT_REJECTED;
    case CLOISTER_UNDETERMINED: return EXIT_UNDETERMINED;
    case CLOISTER_UNREADABLE:
    case CLOISTER_NO_OUTCOME: break;
  }
  return EXIT_UNREADABLE;
}

static int judge(cloister_verifier* verifier, const cloister_report_input* input) {
  cloister_verdict* verdict = NULL;
  const cloister_outcome outcome = cloister_verify_report(verifier, input, &verdict);
  if (verdict != NULL) {
    fputs(cloister_verdict_tree(verdict).data, stdout);
    if (cloister_verdict_status(verdict) != CLOISTER_OK) fprintf(stderr, "%s\n", cloister_verdict_error(verdict).data);
    print_reasons(verdict);
  }
  cloister_verdict_free(verdict);
  return exit_status(outcome);
}

int main(int argc, char** argv) {
  const char* argument[6] = {NULL};
  cloister_report_input input = {0};
  uint8_t nonce[32];
  size_t size = 0;
  char* report;
  cloister_verifier* verifier;
  int64_t now;
  int i, status = EXIT_UNREADABLE;

  for (i = 1; i < argc && i < 6; ++i) argument[i] = strcmp(argv[i], "-") == 0 ? NULL : argv[i];
  if (argument[1] == NULL || cloister_abi_version() != CLOISTER_ABI_VERSION) return EXIT_UNREADABLE;
  if (argument[3] != NULL && !read_nonce(argument[3], nonce)) return EXIT_UNREADABLE;
  now = argument[4] != NULL ? strtoll(argument[4], NULL, 10) : (int64_t)time(NULL);
  report = read_all(argument[1], &size);
  verifier = cloister_verifier_new();
  if (report == NULL) fprintf(stderr, "%s: cannot be read\n", argument[1]);

  input.struct_size = sizeof input;
  input.report.data = report;
  input.report.size = size;
  if (argument[3] != NULL) {
    input.nonce.data = nonce;
    input.nonce.size = sizeof nonce;
  }
  if (report != NULL && verifier != NULL && cloister_verifier_set_time(verifier, now) == CLOISTER_OK &&
      (argument[2] == NULL || set_from_file(verifier, cloister_verifier_add_collateral, argument[2])) &&
      (argument[5] == NULL || set_from_file(verifier, cloister_verifier_set_policy, argument[5])))
    status = judge(verifier, &input);
  cloister_verifier_free(verifier);
  free(report);
  return status;
}
