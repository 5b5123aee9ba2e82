// Compares one reference of a concise manifest with one claim of a device (draft-ietf-rats-corim-11, "Reference Values").
#pragma once

#include <string>

#include "codec/comid.h"

namespace cloister::verify {

// True when every member of the pattern, and of its class, is present with that value. What the pattern leaves out may have any value.
bool matches_environment(const codec::CborValue& pattern, const codec::CborValue& actual);
// True for the same members with the same values, in whatever order they are written.
bool same_environment(const codec::CborValue& a, const codec::CborValue& b);

// "OID 1.3.6.1.4.1.5703.1300.1.1.11.1.11.100.4" or "NVIDIA GR100 A01 GSP, layer 0", for people.
std::string environment_text(const codec::CborValue& environment);
// "measurement FFMC", "measurement 3", "the measurement" when it has no key.
std::string key_text(const codec::ComidMeasurement& measurement);

// What the reference demands and the device does not have: "digest", "raw value", ...; empty when nothing is missing.
// Every kind of value that the reference names must be present. For digests, all algorithms that both name must agree,
// and there must be at least one such.
std::string difference(const codec::ComidValues& reference, const codec::ComidValues& actual);

// The first of the reference's measurements that the device lacks, or has with another value; empty when there is none.
std::string difference(const codec::ComidTriple& reference, const codec::ComidTriple& actual);

}  // namespace cloister::verify
