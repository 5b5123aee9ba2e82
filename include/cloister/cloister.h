/* Cloister's verifier for C and for every language that can call C: evidence, collateral, a policy and a time go in, a verdict comes out.
 *
 *     cloister_verifier *verifier = cloister_verifier_new();
 *     cloister_report_input input = {0};
 *     cloister_verdict *verdict = NULL;
 *     if (verifier == NULL || cloister_verifier_follow_clock(verifier) != CLOISTER_OK ||
 *         cloister_verifier_add_collateral(verifier, bundle, bundle_size) != CLOISTER_OK) ...
 *     input.struct_size = sizeof input;
 *     input.report.data = report;
 *     input.report.size = report_size;
 *     input.nonce.data = nonce;
 *     input.nonce.size = 32;
 *     input.tls_spki_sha256.data = key_of_the_connection;
 *     input.tls_spki_sha256.size = 32;
 *     if (cloister_verify_report(verifier, &input, &verdict) == CLOISTER_ACCEPTED) ...
 *     cloister_verdict_free(verdict);
 *     cloister_verifier_free(verifier);
 *
 * Whole programs: examples/c/verify_report.c, examples/python/verify.py.
 *
 * YES AND NO. CLOISTER_ACCEPTED is the only yes. It comes out of a judging call (cloister_verify_...) and of cloister_verdict_outcome() for
 * the verdict of such a call, and out of nothing else. Setters return a cloister_status, whose CLOISTER_OK says that the setter did its
 * work. No two enumerators of this file have the same value but for 0, and 0 is never a yes: neither a zeroed variable nor a CLOISTER_OK
 * that is taken for an outcome equals CLOISTER_ACCEPTED.
 *
 * INPUT. A structure begins with its own size: set the whole to zero, then `struct_size` to sizeof. A size that no version has published is
 * refused, unless it is at most 4,096 and all bytes beyond the structure that this library knows are zero: what was asked for and is not
 * known here is never ignored. Unknown flags are refused for the same reason. A `cloister_bytes` whose `data` is NULL is absent, with any other size than 0 it
 * is refused; one with `data` and the size 0 is present and empty. A nonce, report data, the digest of a key and the id of a session that
 * are zeros alone are refused: nobody filled them. Sizes count bytes, a terminating zero is not counted, and texts are
 * UTF-8. Everything that is given is copied or used during the call only: no call keeps a pointer of the caller's.
 *
 * OWNERSHIP. Whoever makes a verifier or receives a verdict frees it, with the function of its name. Freeing NULL does nothing. A verdict
 * does not refer to the verifier that made it. Pointers that a verdict or a verifier gives out belong to it and are freed with it; texts
 * that come from neither are static.
 *
 * THREADS. The library has no threads and no state outside its handles. Any number of threads may use one verifier at once for judging, as
 * long as none of them changes it; a thread that changes a verifier must be alone with it. A verdict never changes: any number of threads
 * may read it.
 *
 * PROCESS. A verifier and its verdicts may be used on both sides of a fork() that no other thread judges across. Unloading the library
 * (dlclose) is not supported: libraries below it keep state until the process ends.
 *
 * BOUNDS. The library opens no connection and no file of its own, and reads a clock after cloister_verifier_follow_clock() alone; OpenSSL below it reads its configuration (openssl.cnf)
 * at the first use, and the C library the time zone, which no verdict depends on. What is read is bounded before it is parsed, and
 * time and memory grow at most a little faster than what was read. Bounds in bytes: 192 MiB for an archive and saved
 * evidence, which hold the largest request and response; 64 MiB for a proof, a request, a response and one piece of collateral; 1 MiB for a
 * policy, a quote, a receipt, a signature, a certificate chain and a model manifest; 64 KiB for a prefix proof; 1,184 bytes for an SEV-SNP
 * report, which has no other size; 2 MiB for a RIM; 4 KiB for an id, a name, an address; 16 MiB for everything
 * else. All collateral of a verifier together has at most 256 MiB. An input that is larger is CLOISTER_ERROR_TOO_LARGE.
 *
 * ERRORS. A null handle, a null structure and a null output are refused and never followed. No exception leaves this interface, and no
 * input ends the process; where memory is out, a library below may. Messages are one line of printable ASCII, and never hold a prompt, a
 * reply or a key. */
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

/* This is the version of the interface. The library's file name carries the same number: libcloister_verify.so.3. */
#define CLOISTER_ABI_VERSION 3
/* Returns the version of the library that is loaded. Within one version, functions, enumerators and members at the end of structures are
 * only added. */
CLOISTER_API uint32_t cloister_abi_version(void);

typedef struct cloister_verifier cloister_verifier;
typedef struct cloister_verdict cloister_verdict;

/* A status says whether a call that judges nothing did its work. None of these values says anything about evidence. */
typedef enum cloister_status {
  CLOISTER_OK = 0,
  CLOISTER_ERROR_NULL = 1, /* a null handle, structure or output; absent evidence; NULL with a size other than 0 */
  CLOISTER_ERROR_STRUCT_SIZE = 2, /* `struct_size` is of no published version and asks for what is not known here */
  CLOISTER_ERROR_FLAGS = 3,       /* a flag that is not known here */
  CLOISTER_ERROR_SIZE = 4,        /* a value of fixed size has another size */
  CLOISTER_ERROR_TOO_LARGE = 5,   /* more bytes than any input of this kind has */
  CLOISTER_ERROR_MALFORMED = 6,   /* the bytes are no input of this kind */
  CLOISTER_ERROR_COMPARISON = 7,  /* a named value has nothing to be compared with, or contradicts the policy */
  CLOISTER_ERROR_TIME = 8,        /* no time was set, or it lies outside the years 1970 to 9999 */
  CLOISTER_ERROR_NOT_FOUND = 9,   /* the verdict has no such check */
  CLOISTER_ERROR_MEMORY = 10,     /* memory is out */
  CLOISTER_ERROR_SETTER = 11      /* a setter of this verifier failed, and has not succeeded since */
} cloister_status;

/* An outcome says what became of evidence. Its last digit is the exit status of `cloister verify`. */
typedef enum cloister_outcome {
  CLOISTER_NO_OUTCOME = 0,      /* no verdict: what a zeroed variable says; no judging call returns it */
  CLOISTER_ACCEPTED = 70000,    /* every required check passed: the only yes */
  CLOISTER_REJECTED = 70001,    /* a check failed */
  CLOISTER_UNREADABLE = 70002,  /* nothing was judged, for the reason that cloister_verdict_refusal() gives */
  CLOISTER_UNDETERMINED = 70003 /* nothing failed, but a required check could not be run */
} cloister_outcome;

/* A state says what became of one check. */
typedef enum cloister_state {
  CLOISTER_NO_STATE = 0, /* no check: what a zeroed structure says */
  CLOISTER_FAILED = 80001,
  CLOISTER_SKIPPED = 80002, /* it applies and was not run; it never counts as passed */
  CLOISTER_NOT_APPLICABLE = 80003,
  CLOISTER_PASSED = 80004
} cloister_state;

/* These return the words of the JSON form ("accepted", "pass"), for a status a short sentence, and "unknown" for other values. The texts are
 * static. */
CLOISTER_API const char* cloister_status_text(int32_t status);
CLOISTER_API const char* cloister_outcome_text(int32_t outcome);
CLOISTER_API const char* cloister_state_text(int32_t state);

/* ---- what evidence is judged with ---- */

/* A new verifier has the default policy, no collateral, and no time: until one of the two functions below was called, only files that name
 * a time can be judged, and are undetermined at best. It is NULL where memory is out. */
CLOISTER_API cloister_verifier* cloister_verifier_new(void);
CLOISTER_API void cloister_verifier_free(cloister_verifier* verifier);

/* A setter that does not return CLOISTER_OK sets nothing, and what was set before is not judged with: every judging call is
 * CLOISTER_UNREADABLE with CLOISTER_ERROR_SETTER until a call of the same setter returns CLOISTER_OK. A program that does not look at the
 * status of a setter so gets no verdict by a former, laxer policy. After CLOISTER_ERROR_MEMORY the verifier may be of no use, and is to be
 * freed. This says why the last setter did nothing: one line that lives until the next setter; empty after CLOISTER_OK and after
 * CLOISTER_ERROR_MEMORY, "no verifier" for NULL. */
CLOISTER_API const char* cloister_verifier_error(const cloister_verifier* verifier);

/* From now on each verdict is for the time at which it is made, by the system's clock. This is right for a program that judges what comes
 * in, as long as nobody else sets that clock. */
CLOISTER_API cloister_status cloister_verifier_follow_clock(cloister_verifier* verifier);
/* Sets the time of all verdicts to come, in seconds since 1970 (UTC), 0 to 253402300799. The time stands still until the next call. This is
 * right for tests, for evidence of the past, and for a clock of the caller's own that is read before every verdict. A program that sets it
 * once and judges for days accepts collateral, certificates and keysets that have expired since. */
CLOISTER_API cloister_status cloister_verifier_set_time(cloister_verifier* verifier, int64_t unix_seconds);
/* Replaces the policy. `toml` is a file as docs/guide/policy.md describes it, of at most 1 MiB and 16 levels; what it does not name has the
 * value of the default policy. A text that sets nothing is refused: a file that could not be read must not count as the default policy,
 * which holds while this was never called, and again after a call with cloister_default_policy(). */
CLOISTER_API cloister_status cloister_verifier_set_policy(cloister_verifier* verifier, const char* toml, size_t size);
/* Adds what the makers of the hardware publish: a bundle (docs/spec/bundle.md), which can hold collateral of every kind; one Intel
 * platform's collateral in the form of dcap-qvl; or an AMD chip's certificates as PEM. Collateral is trusted as far as its own
 * signatures reach, and does not replace what was added before. */
CLOISTER_API cloister_status cloister_verifier_add_collateral(cloister_verifier* verifier, const char* text,
                                                              size_t size);
/* Adds a reference integrity manifest of NVIDIA's (XML or CoRIM) under the id by which the RIM service serves it, for instance
 * "NV_GPU_DRIVER_GH100_550.144.03" (zero-terminated, at most 128 characters). It replaces a manifest of the same id. */
CLOISTER_API cloister_status cloister_verifier_add_rim(cloister_verifier* verifier, const char* id, const void* rim,
                                                       size_t size);

/* Returns the policy that holds when none was set, as a commented file; the text is zero-terminated and static. */
CLOISTER_API const char* cloister_default_policy(void);

/* ---- judging ---- */

/* These are bytes of the caller's, which are used during the call. Where `data` is NULL they are absent. */
typedef struct cloister_bytes {
  const void* data;
  size_t size;
} cloister_bytes;

/* Each judging call returns the outcome and, unless `verdict` is NULL, leaves there a verdict that the caller frees. The verdict is NULL
 * only when memory is out, and then the outcome is CLOISTER_UNREADABLE. Members without a comment are optional; what needs an absent one
 * is skipped. */

/* With this flag the caller has no connection to the service, and verifies the report as a document, for instance one that was saved or
 * passed on: the verdict then says nothing about where any connection ends. Without it, and without `tls_spki_sha256`, a report that binds
 * TLS keys is CLOISTER_UNDETERMINED (the check report_data.tls), since anybody in the way of the connection can pass a genuine report on. */
#define CLOISTER_REPORT_AS_DOCUMENT 1u

/* This is a report as a service serves it, JSON: Cloister's own, ACI, the legacy form, a gateway's answer, and the forms of other services
 * (docs/spec/foreign-reports.md). */
typedef struct cloister_report_input {
  uint32_t struct_size;
  uint32_t flags;        /* 0, or CLOISTER_REPORT_AS_DOCUMENT, which contradicts `tls_spki_sha256` */
  cloister_bytes report; /* required */
  cloister_bytes nonce;  /* 32 bytes, made by the caller for this report; without them freshness cannot be shown */
  cloister_bytes
      tls_spki_sha256; /* 32 bytes: SHA-256 of the SubjectPublicKeyInfo on the caller's TLS connection (report_data.tls) */
  cloister_bytes
      tls_host; /* the host name of that connection, for report_data.tls: a key may be listed for one host only; refused alone */
  cloister_bytes instances;      /* JSON: the keys of the instances, for evidence of Chutes that has none */
  cloister_bytes model;          /* the name of the model that the caller will ask for (the check report.model) */
  cloister_bytes model_manifest; /* JSON: what the model must be (docs/spec/model-identity.md) */
} cloister_report_input;
CLOISTER_API cloister_outcome cloister_verify_report(const cloister_verifier* verifier,
                                                     const cloister_report_input* input, cloister_verdict** verdict);

/* This is a bare Intel TDX quote, and what is served beside it. */
typedef struct cloister_quote_input {
  uint32_t struct_size;
  uint32_t flags;             /* 0 */
  cloister_bytes quote;       /* required; raw, hex or base64 */
  cloister_bytes report_data; /* 64 bytes that the caller asked for; without them the evidence may be old */
  cloister_bytes event_log;   /* JSON */
  cloister_bytes ccel;        /* the data of the ACPI table CCEL */
  cloister_bytes app_compose; /* the application's compose text, byte for byte */
  cloister_bytes vm_config;   /* JSON */
} cloister_quote_input;
CLOISTER_API cloister_outcome cloister_verify_quote(const cloister_verifier* verifier,
                                                    const cloister_quote_input* input, cloister_verdict** verdict);

/* This is evidence of NVIDIA GPUs and switches alone. */
typedef struct cloister_gpu_input {
  uint32_t struct_size;
  uint32_t flags;          /* 0 */
  cloister_bytes evidence; /* required; a list, a CMW, an `nvidia_payload`, a report; with `chain` one device */
  cloister_bytes chain;    /* the certificates of one device's report, PEM or base64 of PEM */
  cloister_bytes nonce;    /* 32 bytes; without them freshness cannot be shown */
} cloister_gpu_input;
CLOISTER_API cloister_outcome cloister_verify_gpu(const cloister_verifier* verifier, const cloister_gpu_input* input,
                                                  cloister_verdict** verdict);

/* This is an AMD SEV-SNP report. */
typedef struct cloister_snp_input {
  uint32_t struct_size;
  uint32_t flags;             /* 0 */
  cloister_bytes report;      /* required; 1,184 bytes */
  cloister_bytes report_data; /* 64 bytes that the caller asked for; without them the evidence may be old */
} cloister_snp_input;
CLOISTER_API cloister_outcome cloister_verify_snp(const cloister_verifier* verifier, const cloister_snp_input* input,
                                                  cloister_verdict** verdict);

/* This is the receipt of a reply (ACI and Cloister's own), with what it is judged by. */
typedef struct cloister_receipt_input {
  uint32_t struct_size;
  uint32_t flags;         /* 0 */
  cloister_bytes receipt; /* required; JSON */
  cloister_bytes report;  /* JSON: the report whose keyset signed it */
  cloister_bytes nonce;   /* 32 bytes: the nonce of that report; refused without a report */
  cloister_bytes
      keyset; /* JSON: a keyset that was verified before, compared with the report's; alone it is undetermined at best */
  cloister_bytes session;        /* JSON: the session of the upstream that the receipt names */
  cloister_bytes prefix_proof;   /* JSON: `response` is a beginning, and this shows that it is the true one */
  cloister_bytes request;        /* the exact body that was sent */
  cloister_bytes response;       /* the exact body that was received, without the framing of the transport */
  cloister_bytes id;             /* the id of the reply or of the receipt, as the service gave it beside the reply */
  cloister_bytes model;          /* the model that was asked for */
  cloister_bytes model_manifest; /* JSON: what the model must be */
} cloister_receipt_input;
CLOISTER_API cloister_outcome cloister_verify_receipt(const cloister_verifier* verifier,
                                                      const cloister_receipt_input* input, cloister_verdict** verdict);

/* This is a gateway's record of an upstream that the gateway verified (ACI). */
typedef struct cloister_session_input {
  uint32_t struct_size;
  uint32_t flags;         /* 0 */
  cloister_bytes session; /* required; JSON */
  cloister_bytes id;      /* 32 raw bytes: the id by which it was named to the caller; in a file, 64 hex digits */
  cloister_bytes receipt; /* JSON: the receipt that names it */
  cloister_bytes model_manifest; /* JSON: what the upstream's model must be */
} cloister_session_input;
CLOISTER_API cloister_outcome cloister_verify_session(const cloister_verifier* verifier,
                                                      const cloister_session_input* input, cloister_verdict** verdict);

/* This is the bare signature of a reply, as /v1/signature serves it (the legacy form). */
typedef struct cloister_signature_input {
  uint32_t struct_size;
  uint32_t flags;           /* 0 */
  cloister_bytes signature; /* required; JSON */
  cloister_bytes request;   /* the exact body that was sent */
  cloister_bytes response;  /* the exact body that was received */
  cloister_bytes
      address; /* cloister_verdict_signing_address() of a report: "0x" and 40 hex digits, or 64 without "0x" */
} cloister_signature_input;
CLOISTER_API cloister_outcome cloister_verify_signature(const cloister_verifier* verifier,
                                                        const cloister_signature_input* input,
                                                        cloister_verdict** verdict);

/* With this flag the caller asks about as much of the reply as the file holds: a beginning is enough. */
#define CLOISTER_FILE_BEGINNING 1u

/* This is a file that holds everything and comes from somebody else: a proof, an archive, saved evidence. Its own time and nonce open it
 * and never count: without a time of the verifier's the verdict is for the time in the file and undetermined at best, without `nonce`
 * freshness is not shown. What is named and has nothing to be compared with in this file is CLOISTER_ERROR_COMPARISON. */
typedef struct cloister_file_input {
  uint32_t struct_size;
  uint32_t flags;         /* CLOISTER_FILE_BEGINNING, for an archive and for saved evidence; refused for a proof */
  cloister_bytes file;    /* required */
  cloister_bytes nonce;   /* 32 bytes: the nonce that the caller made for the report in it */
  cloister_bytes request; /* the caller's own exact bodies, in the place of the file's */
  cloister_bytes response;
  cloister_bytes id;             /* the id of the reply, the receipt or, as 64 hex digits, the session */
  cloister_bytes model;          /* the model that was asked for */
  cloister_bytes address;        /* cloister_verdict_signing_address() of a report */
  cloister_bytes report_data;    /* 64 bytes that the caller asked for */
  cloister_bytes model_manifest; /* JSON: what the model must be */
} cloister_file_input;
/* Judges what `cloister chat --save` writes: report, request, reply and signature together (docs/spec/proof-file.md). */
CLOISTER_API cloister_outcome cloister_verify_proof(const cloister_verifier* verifier, const cloister_file_input* input,
                                                    cloister_verdict** verdict);
/* Judges a receipt with everything that it was judged with (docs/spec/archive.md). */
CLOISTER_API cloister_outcome cloister_verify_archive(const cloister_verifier* verifier,
                                                      const cloister_file_input* input, cloister_verdict** verdict);
/* Judges what `cloister verify --bundle` writes: evidence of any kind with everything that it was judged with (docs/spec/bundle.md). */
CLOISTER_API cloister_outcome cloister_verify_bundle(const cloister_verifier* verifier,
                                                     const cloister_file_input* input, cloister_verdict** verdict);

/* ---- the verdict ---- */

/* This is a text of the library's. `data` is followed by a zero, and may hold zeros where evidence does: `size` is what counts. `data` is
 * NULL only in a structure of zeros. */
typedef struct cloister_text {
  const char* data;
  size_t size;
} cloister_text;

/* This is one check. Its texts live as long as the verdict. */
typedef struct cloister_check {
  uint32_t struct_size; /* set by the caller before the call */
  uint32_t required;    /* 1: while this check is skipped the verdict is not accepted; a failed one always rejects */
  cloister_state state;
  uint32_t reserved;      /* 0 */
  cloister_text id;       /* stable, from docs/checks.md: "tdx.quote.signature" */
  cloister_text detail;   /* why it failed or was skipped */
  cloister_text expected; /* what was expected and what was found, where the check compares */
  cloister_text found;
  cloister_text meaning; /* what a pass says */
  cloister_text without; /* what one could do without this check */
} cloister_check;

/* Returns the outcome again; CLOISTER_NO_OUTCOME for NULL. */
CLOISTER_API cloister_outcome cloister_verdict_outcome(const cloister_verdict* verdict);
/* Returns why nothing was judged; CLOISTER_OK, which is no yes, when evidence was judged with whatever outcome; CLOISTER_ERROR_NULL for NULL. */
CLOISTER_API cloister_status cloister_verdict_refusal(const cloister_verdict* verdict);
/* Returns one line that says why nothing was judged; empty when evidence was judged, and for NULL. */
CLOISTER_API cloister_text cloister_verdict_error(const cloister_verdict* verdict);
/* Returns 1 when the evidence, or a part of it, is simulated, as a policy with `accept_simulator` accepts: anybody can make such evidence, and
 * an accepted verdict about it says nothing about any machine. 0 otherwise, for NULL, and when nothing was judged. */
CLOISTER_API int32_t cloister_verdict_is_simulated(const cloister_verdict* verdict);
/* Returns the signing address of this place, from 0, that an accepted verdict about a report attests: the one to give to
 * cloister_verify_signature(). An address in the report or beside the signature is only what somebody wrote there. A report attests several
 * where the service has keys of both kinds, or several instances: "0x" and 40 hex digits for ECDSA, 64 hex digits for Ed25519, followed by
 * a zero. NULL behind the last, for a verdict that is not accepted or attests none, and for NULL. It lives as long as the verdict. */
CLOISTER_API const char* cloister_verdict_signing_address(const cloister_verdict* verdict, size_t index);
/* Returns the number of checks; 0 for NULL and when nothing was judged. */
CLOISTER_API size_t cloister_verdict_check_count(const cloister_verdict* verdict);
/* Writes the check of this place, from 0, into `check`. Anything but CLOISTER_OK leaves CLOISTER_NO_STATE in the structure, and zeros, if its
 * size is known. */
CLOISTER_API cloister_status cloister_verdict_check(const cloister_verdict* verdict, size_t index,
                                                    cloister_check* check);
/* Writes the check of this id (zero-terminated), and where several have it the worst: failed before skipped before not applicable before
 * passed. */
CLOISTER_API cloister_status cloister_verdict_find_check(const cloister_verdict* verdict, const char* id,
                                                         cloister_check* check);
/* Returns the JSON object that `cloister verify --offline --json` prints: verdict, subject, checks, facts. When nothing was judged:
 * {"error","verdict":"unreadable"}. Facts of a verdict that is not accepted are claims. Empty for NULL. */
CLOISTER_API cloister_text cloister_verdict_json(const cloister_verdict* verdict);
/* These return the verdict as a readable tree, in ASCII: with all checks, and with those alone that keep it from being accepted. */
CLOISTER_API cloister_text cloister_verdict_tree(const cloister_verdict* verdict);
CLOISTER_API cloister_text cloister_verdict_summary(const cloister_verdict* verdict);
CLOISTER_API void cloister_verdict_free(cloister_verdict* verdict);

#ifdef __cplusplus
}
#endif

#endif /* CLOISTER_CLOISTER_H */
