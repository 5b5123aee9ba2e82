#include "tee/simulator/pck_extension.h"

#include "tee/simulator/der_writer.h"

namespace cloister::tee {
namespace {

// 1.2.840.113741.1.13.1 followed by `suffix`, each part of it below 128.
Bytes sgx_oid(std::initializer_list<std::uint8_t> suffix) {
  Bytes content = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};
  content.insert(content.end(), suffix);
  return der(kDerOid, content);
}

Bytes entry(std::initializer_list<std::uint8_t> suffix, const Bytes& value) {
  return der_sequence({sgx_oid(suffix), value});
}

Bytes write_tcb(const PckPlatform& platform) {
  Bytes content;
  for (std::uint8_t i = 0; i < 16; ++i) {
    append(content, entry({2, static_cast<std::uint8_t>(i + 1)}, der_integer(platform.component_svns[i])));
  }
  append(content, entry({2, 17}, der_integer(platform.pce_svn)));
  append(content, entry({2, 18}, der(kDerOctetString, platform.component_svns)));
  return der(kDerSequence, content);
}

// Dynamic platform, cached keys and SMT are all enabled, as on common hosts.
Bytes write_configuration() {
  const Bytes yes = der(kDerBoolean, Bytes{0xff});
  return der_sequence({entry({7, 1}, yes), entry({7, 2}, yes), entry({7, 3}, yes)});
}

}  // namespace

Bytes write_pck_extension(const PckPlatform& platform) {
  return der_sequence({
      entry({1}, der(kDerOctetString, platform.ppid)),
      entry({2}, write_tcb(platform)),
      entry({3}, der(kDerOctetString, platform.pce_id)),
      entry({4}, der(kDerOctetString, platform.fmspc)),
      entry({5}, der(kDerEnumerated, Bytes{platform.sgx_type})),
      entry({6}, der(kDerOctetString, platform.platform_instance_id)),
      entry({7}, write_configuration()),
  });
}

}  // namespace cloister::tee
