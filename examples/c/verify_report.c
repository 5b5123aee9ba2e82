/* Judges a saved attestation report: verify_report REPORT [COLLATERAL [NONCE_HEX [UNIX_SECONDS [POLICY]]]]
 * Exit status as `cloister verify`: 0 accepted, 1 rejected, 2 unreadable, 3 undetermined. "-" leaves an argument out.
 *
 * tests/abi builds it against build/release/libcloister_verify.so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cloister/cloister.h"

static char* read_all(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  char* text = NULL;
  if (file == NULL) return NULL;
  if (fseek(file, 0, SEEK_END) == 0) {
    const long length = ftell(file);
    if (length >= 0 && length < 64L << 20 && fseek(file, 0, SEEK_SET) == 0) {
      text = malloc((size_t)length + 1);
      if (text != NULL) *size = fread(text, 1, (size_t)length, file);
    }
  }
  fclose(file);
  return text;
}

static int read_nonce(const char* hex, uint8_t nonce[32]) {
  size_t i;
  if (strlen(hex) != 64) return 0;
  for (i = 0; i < 32; ++i) {
    unsigned value;
    if (sscanf(hex + 2 * i, "%2x", &value) != 1) return 0;
    nonce[i] = (uint8_t)value;
  }
  return 1;
}

typedef cloister_outcome (*setter)(cloister_verifier*, const char*, size_t);

static int set_from_file(cloister_verifier* verifier, setter set, const char* path) {
  size_t size = 0;
  char* text = read_all(path, &size);
  cloister_outcome outcome;
  if (text == NULL) {
    fprintf(stderr, "%s: cannot be read\n", path);
    return 0;
  }
  outcome = set(verifier, text, size);
  free(text);
  if (outcome != CLOISTER_ACCEPTED) fprintf(stderr, "%s: %s\n", path, cloister_verifier_error(verifier));
  return outcome == CLOISTER_ACCEPTED;
}

int main(int argc, char** argv) {
  const char* argument[6] = {NULL};
  uint8_t nonce[32];
  size_t size = 0;
  char* report;
  cloister_verifier* verifier;
  cloister_verdict* verdict;
  int outcome, i;

  for (i = 1; i < argc && i < 6; ++i) argument[i] = strcmp(argv[i], "-") == 0 ? NULL : argv[i];
  if (argument[1] == NULL || cloister_abi_version() < CLOISTER_ABI_VERSION) return CLOISTER_UNREADABLE;
  if (argument[3] != NULL && !read_nonce(argument[3], nonce)) return CLOISTER_UNREADABLE;
  report = read_all(argument[1], &size);
  verifier = cloister_verifier_new();
  if (report == NULL || verifier == NULL) return CLOISTER_UNREADABLE;
  cloister_verifier_set_time(verifier, argument[4] != NULL ? strtoll(argument[4], NULL, 10) : (int64_t)time(NULL));
  if (argument[2] != NULL && !set_from_file(verifier, cloister_verifier_add_collateral, argument[2]))
    return CLOISTER_UNREADABLE;
  if (argument[5] != NULL && !set_from_file(verifier, cloister_verifier_set_policy, argument[5]))
    return CLOISTER_UNREADABLE;

  verdict = cloister_verify_report(verifier, report, size, argument[3] != NULL ? nonce : NULL, NULL);
  if (verdict == NULL) return CLOISTER_UNREADABLE;
  fputs(cloister_verdict_text(verdict), stdout);
  outcome = (int)cloister_verdict_outcome(verdict);
  cloister_verdict_free(verdict);
  cloister_verifier_free(verifier);
  free(report);
  return outcome;
}
