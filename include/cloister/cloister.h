/* Cloister's verifier for C and for every language that can call C: it takes evidence, collateral, a policy and a time,
 * and returns a verdict. It uses no network, no clock, no files, and no threads of its own.
 *
 *     cloister_verifier *verifier = cloister_verifier_new();
 *     cloister_verifier_add_collateral(verifier, bundle, bundle_size);
 *     cloister_verifier_set_time(verifier, time(NULL));
 *     cloister_verdict *verdict = cloister_verify_report(verifier, report, report_size, nonce, NULL);
 *     if (cloister_verdict_outcome(verdict) == CLOISTER_ACCEPTED) ...
 *     cloister_verdict_free(verdict);
 *     cloister_verifier_free(verifier);
 *
 * Handles are opaque. A verifier may be used by several threads at once as long as none of them changes it. Verdicts do
 * not refer to the verifier that made them. Null handles and null pointers with a size other than 0 are refused, never
 * followed: functions that return an outcome then return CLOISTER_UNREADABLE, functions that return a pointer NULL.
 * No exception leaves this interface. */
#ifndef CLOISTER_CLOISTER_H
#define CLOISTER_CLOISTER_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define CLOISTER_API __attribute__((visibility("default")))
#else
#define CLOISTER_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Increased by every change that a caller could notice; functions are only ever added. */
#define CLOISTER_ABI_VERSION 2
CLOISTER_API uint32_t cloister_abi_version(void);

typedef struct cloister_verifier cloister_verifier;
typedef struct cloister_verdict cloister_verdict;

/* The exit statuses of `cloister verify`. Only 0 is a yes. */
typedef enum cloister_outcome {
  CLOISTER_ACCEPTED = 0,    /* every required check passed */
  CLOISTER_REJECTED = 1,    /* a check failed */
  CLOISTER_UNREADABLE = 2,  /* the input cannot be read; nothing was verified */
  CLOISTER_UNDETERMINED = 3 /* a required check could not be run, for instance for lack of collateral */
} cloister_outcome;

/* A new verifier has the default policy, no collateral, and the time 0, at which nothing is valid. NULL: out of memory. */
CLOISTER_API cloister_verifier* cloister_verifier_new(void);
CLOISTER_API void cloister_verifier_free(cloister_verifier* verifier);

/* Each of these functions returns CLOISTER_ACCEPTED, or CLOISTER_UNREADABLE and leaves the verifier unchanged. Then
 * cloister_verifier_error() says what is wrong, in one line of ASCII that lives until the next call that changes the
 * verifier. */
CLOISTER_API cloister_outcome cloister_verifier_set_policy(cloister_verifier* verifier, const char* toml, size_t size);
/* A bundle as `cloister verify --bundle` writes it, or one platform's collateral as other quote verifiers save it.
 * Collateral that is added later does not replace what was added before. */
CLOISTER_API cloister_outcome cloister_verifier_add_collateral(cloister_verifier* verifier, const char* json,
                                                               size_t size);
/* A reference integrity manifest of NVIDIA's, as XML, under the id by which the RIM service serves it, for instance
 * "NV_GPU_DRIVER_GH100_550.144.03". */
CLOISTER_API cloister_outcome cloister_verifier_add_rim(cloister_verifier* verifier, const char* id, const char* xml,
                                                        size_t size);
CLOISTER_API const char* cloister_verifier_error(const cloister_verifier* verifier);

/* Sets the time of the verdict, in seconds since 1970. Take the time from a clock that you trust. */
CLOISTER_API void cloister_verifier_set_time(cloister_verifier* verifier, int64_t unix_seconds);

/* The policy that holds when none was set, as a commented file. The text is static. */
CLOISTER_API const char* cloister_default_policy(void);

/* Verifies a report; the caller frees the verdict. NULL when memory is out or `verifier` is NULL.
 * `nonce32` is the 32 bytes that the caller made for this evidence; NULL when there was none, and then freshness cannot be
 * shown. `tls_spki_sha256` is SHA-256 of the SubjectPublicKeyInfo of the server on the caller's TLS connection, or NULL. */
CLOISTER_API cloister_verdict* cloister_verify_report(const cloister_verifier* verifier, const char* json, size_t size,
                                                      const uint8_t* nonce32, const uint8_t* tls_spki_sha256);
/* Verifies a bare TDX quote: raw bytes, hex or base64. The policy's `report_data` names the 64 bytes that the caller asked
 * for; without it the quote may be old, and with the default policy the verdict is undetermined. */
CLOISTER_API cloister_verdict* cloister_verify_quote(const cloister_verifier* verifier, const uint8_t* quote,
                                                     size_t size);
/* Verifies NVIDIA evidence: an evidence list, an `nvidia_payload`, or a whole report. */
CLOISTER_API cloister_verdict* cloister_verify_gpu(const cloister_verifier* verifier, const char* json, size_t size,
                                                   const uint8_t* nonce32);
/* Verifies a proof as `cloister chat --save` writes it: report, request, reply and signature together. The nonce in the proof
 * opens the report and shows nothing about freshness: with the default policy the verdict is undetermined. */
CLOISTER_API cloister_verdict* cloister_verify_proof(const cloister_verifier* verifier, const char* json, size_t size);
/* Verifies a proof for a caller that knows the nonce that it made. */
CLOISTER_API cloister_verdict* cloister_verify_proof_with_nonce(const cloister_verifier* verifier, const char* json,
                                                                size_t size, const uint8_t* nonce32);

/* Verifies an AMD SEV-SNP report of 1,184 bytes. `report_data64` is the 64 bytes that it must hold, or NULL. Since version 2. */
CLOISTER_API cloister_verdict* cloister_verify_snp(const cloister_verifier* verifier, const uint8_t* report,
                                                   size_t size, const uint8_t* report_data64);
/* Verifies the receipt of a reply (ACI), with the report whose keyset signed it and the exact bodies. Each of the three may
 * be NULL with the size 0; what needs it is then skipped. `nonce32` is the nonce of the report. Since version 2. */
CLOISTER_API cloister_verdict* cloister_verify_receipt(const cloister_verifier* verifier, const char* json, size_t size,
                                                       const char* report, size_t report_size, const uint8_t* nonce32,
                                                       const uint8_t* request, size_t request_size,
                                                       const uint8_t* response, size_t response_size);
/* Verifies a gateway's record of an upstream that the gateway verified (ACI). `id32` is the id by which the record was named,
 * or NULL. Since version 2. */
CLOISTER_API cloister_verdict* cloister_verify_session(const cloister_verifier* verifier, const char* json, size_t size,
                                                       const uint8_t* id32);

CLOISTER_API cloister_outcome cloister_verdict_outcome(const cloister_verdict* verdict);
/* The verdict as the JSON object of `cloister verify --json`; with CLOISTER_UNREADABLE {"verdict":"unreadable","error"}.
 * Lives as long as the verdict. */
CLOISTER_API const char* cloister_verdict_json(const cloister_verdict* verdict);
/* The verdict as a readable tree. Lives as long as the verdict. */
CLOISTER_API const char* cloister_verdict_text(const cloister_verdict* verdict);
CLOISTER_API void cloister_verdict_free(cloister_verdict* verdict);

#ifdef __cplusplus
}
#endif

#endif /* CLOISTER_CLOISTER_H */
