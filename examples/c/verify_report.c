/* Judges an attestation report, and with it a signature of a reply:
 *
 *     verify_report [--tls-key HEX | --as-document] [--signature FILE REQUEST RESPONSE]
 *                   REPORT [COLLATERAL [NONCE_HEX [UNIX_SECONDS [POLICY]]]]
 *
 * "-" leaves an argument out. Without UNIX_SECONDS the system's clock counts. --tls-key gives the SHA-256 of the SubjectPublicKeyInfo that the
 * connection to the service showed; --as-document says that there is no connection. The signature is judged with the address that the accepted
 * report attests, never with one that stands in the report or beside the signature. Exit status as `cloister verify`: 0 accepted, 1 rejected,
 * 2 unreadable or wrong usage, 3 undetermined.
 *
 * tests/abi builds it against build/release/libcloister_verify.so. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloister/cloister.h"

enum { EXIT_ACCEPTED = 0, EXIT_REJECTED = 1, EXIT_UNREADABLE = 2, EXIT_UNDETERMINED = 3 };

/* The text is the caller's to free; NULL when the file cannot be read, or not to its end. */
static char* read_all(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  char* text = NULL;
  int whole = 0;
  if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
    const long length = ftell(file);
    if (length >= 0 && length <= 64L << 20 && fseek(file, 0, SEEK_SET) == 0) {
      text = malloc((size_t)length + 1);
      if (text != NULL) {
        *size = fread(text, 1, (size_t)length, file);
        whole = *size == (size_t)length && !ferror(file);
      }
    }
  }
  if (file != NULL) fclose(file);
  if (!whole) {
    fprintf(stderr, "%s: cannot be read\n", path);
    free(text);
    return NULL;
  }
  return text;
}

static int read_file(const char* path, cloister_bytes* out) {
  char* text = read_all(path, &out->size);
  out->data = text;
  return text != NULL;
}

static int read_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int read_hex(const char* hex, uint8_t value[32]) {
  size_t i;
  if (strlen(hex) != 64) return 0;
  for (i = 0; i < 32; ++i) {
    const int high = read_digit(hex[2 * i]), low = read_digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return 0;
    value[i] = (uint8_t)(high * 16 + low);
  }
  return 1;
}

/* Digits alone: "2025-06-25" is no number of seconds. */
static int read_seconds(const char* text, int64_t* seconds) {
  char* end = NULL;
  long long value;
  if (text[0] < '0' || text[0] > '9') return 0;
  errno = 0;
  value = strtoll(text, &end, 10);
  if (errno != 0 || *end != '\0') return 0;
  *seconds = value;
  return 1;
}

typedef cloister_status (*setter)(cloister_verifier*, const char*, size_t);

static int set_from_file(cloister_verifier* verifier, setter set, const char* path) {
  size_t size = 0;
  char* text = read_all(path, &size);
  cloister_status status;
  if (text == NULL) return 0;
  status = set(verifier, text, size);
  free(text);
  if (status != CLOISTER_OK) fprintf(stderr, "%s: %s\n", path, cloister_verifier_error(verifier));
  return status == CLOISTER_OK;
}

static int set_time(cloister_verifier* verifier, const char* text) {
  int64_t seconds = 0;
  if (text == NULL) return cloister_verifier_follow_clock(verifier) == CLOISTER_OK;
  if (read_seconds(text, &seconds) && cloister_verifier_set_time(verifier, seconds) == CLOISTER_OK) return 1;
  fprintf(stderr, "%s: no number of seconds since 1970\n", text);
  return 0;
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

static void print_verdict(const cloister_verdict* verdict) {
  if (verdict == NULL) return;
  fputs(cloister_verdict_tree(verdict).data, stdout);
  if (cloister_verdict_error(verdict).size != 0) fprintf(stderr, "%s\n", cloister_verdict_error(verdict).data);
  print_reasons(verdict);
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

/* Judges the signature of a reply by the first address that `report`, a verdict, attests. Without one the verdict is undetermined at best. */
static int judge_signature(const cloister_verifier* verifier, const cloister_verdict* report,
                           const char* const file[3]) {
  cloister_signature_input input = {0};
  cloister_verdict* verdict = NULL;
  const char* address = cloister_verdict_signing_address(report, 0);
  int status = EXIT_UNREADABLE;
  input.struct_size = sizeof input;
  input.address.data = address;
  input.address.size = address == NULL ? 0 : strlen(address);
  if (read_file(file[0], &input.signature) && read_file(file[1], &input.request) &&
      read_file(file[2], &input.response)) {
    status = exit_status(cloister_verify_signature(verifier, &input, &verdict));
    print_verdict(verdict);
  }
  cloister_verdict_free(verdict);
  free((void*)input.signature.data);
  free((void*)input.request.data);
  free((void*)input.response.data);
  return status;
}

static int judge(const cloister_verifier* verifier, const cloister_report_input* input,
                 const char* const signature[3]) {
  cloister_verdict* verdict = NULL;
  int status = exit_status(cloister_verify_report(verifier, input, &verdict));
  print_verdict(verdict);
  if (status == EXIT_ACCEPTED && signature[0] != NULL) status = judge_signature(verifier, verdict, signature);
  cloister_verdict_free(verdict);
  return status;
}

static int complain(const char* message) {
  fprintf(stderr, "verify_report: %s\n", message);
  return EXIT_UNREADABLE;
}

int main(int argc, char** argv) {
  const char* argument[5] = {NULL};
  const char* signature[3] = {NULL};
  cloister_report_input input = {0};
  uint8_t nonce[32], tls_key[32];
  cloister_verifier* verifier;
  int i, given = 0, status = EXIT_UNREADABLE;

  input.struct_size = sizeof input;
  for (i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--as-document") == 0) {
      input.flags |= CLOISTER_REPORT_AS_DOCUMENT;
    } else if (strcmp(argv[i], "--tls-key") == 0 && i + 1 < argc) {
      if (!read_hex(argv[++i], tls_key)) return complain("--tls-key: expected 64 hex digits");
      input.tls_spki_sha256.data = tls_key;
      input.tls_spki_sha256.size = sizeof tls_key;
    } else if (strcmp(argv[i], "--signature") == 0 && i + 3 < argc) {
      signature[0] = argv[++i];
      signature[1] = argv[++i];
      signature[2] = argv[++i];
    } else if (strncmp(argv[i], "--", 2) == 0 || given == 5) {
      return complain("an unknown option, or too many arguments");
    } else {
      argument[given++] = strcmp(argv[i], "-") == 0 ? NULL : argv[i];
    }
  }
  if (argument[0] == NULL) return complain("no report");
  if (cloister_abi_version() != CLOISTER_ABI_VERSION) return complain("the library has another interface");
  if (argument[2] != NULL) {
    if (!read_hex(argument[2], nonce)) return complain("the nonce: expected 64 hex digits");
    input.nonce.data = nonce;
    input.nonce.size = sizeof nonce;
  }

  verifier = cloister_verifier_new();
  if (verifier != NULL && read_file(argument[0], &input.report) && set_time(verifier, argument[3]) &&
      (argument[1] == NULL || set_from_file(verifier, cloister_verifier_add_collateral, argument[1])) &&
      (argument[4] == NULL || set_from_file(verifier, cloister_verifier_set_policy, argument[4])))
    status = judge(verifier, &input, signature);
  cloister_verifier_free(verifier);
  free((void*)input.report.data);
  return status;
}
