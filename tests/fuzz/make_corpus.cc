// Writes the seeds of the fuzz targets: make_corpus DIR. The name of each seed describes it. The seeds that come from
// the project's own writers (quotes, GPU reports, certificates) are the same on every run, because keys and signatures
// are deterministic. Only the signatures of OCSP responses and manifests differ.
#include <cctype>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>

#include "base/encoding.h"
#include "codec/ccel.h"
#include "codec/jcs.h"
#include "codec/jwt.h"
#include "codec/snp_report.h"
#include "codec/spdm.h"
#include "codec/tdx_quote.h"
#include "collateral/cache_entry.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/ocsp.h"
#include "crypto/secp256k1.h"
#include "crypto/signed_xml.h"
#include "crypto/x509.h"
#include "evidence/archive.h"
#include "evidence/event_log.h"
#include "evidence/gpu_evidence.h"
#include "evidence/known_answers.h"
#include "evidence/known_answers_result.h"
#include "evidence/model_identity.h"
#include "evidence/proof.h"
#include "verify/bundle.h"

namespace {

using namespace cloister;

class Corpus {
 public:
  explicit Corpus(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void add(const std::string& target, const std::string& name, std::string_view bytes) const {
    std::filesystem::create_directories(folder_ / target);
    std::ofstream file(folder_ / target / name, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  void add(const std::string& target, const std::string& name, const Bytes& bytes) const {
    add(target, name, as_text(bytes));
  }

 private:
  std::filesystem::path folder_;
};

template <std::size_t N>
ByteArray<N> fixed(ByteView bytes) {
  ByteArray<N> out{};
  std::copy_n(bytes.begin(), std::min(N, bytes.size()), out.begin());
  return out;
}

// Returns leaf, intermediate and root on one curve, as PEM.
std::string pem_chain(crypto::Curve curve) {
  const Bytes seed(32, 1);
  const crypto::EcKey root_key = *crypto::EcKey::derive(curve, seed, "root");
  const crypto::EcKey middle_key = *crypto::EcKey::derive(curve, seed, "middle");
  const crypto::EcKey leaf_key = *crypto::EcKey::derive(curve, seed, "leaf");
  crypto::CertificateSpec root;
  root.subject_common_name = root.issuer_common_name = "Root";
  root.not_after = 253402300799;
  root.serial = {1};
  root.is_ca = true;
  root.path_length = 1;
  crypto::CertificateSpec middle = root;
  middle.subject_common_name = "Middle";
  middle.path_length = 0;
  crypto::CertificateSpec leaf = middle;
  leaf.subject_common_name = "Leaf";
  leaf.issuer_common_name = "Middle";
  leaf.is_ca = false;
  leaf.path_length.reset();
  leaf.dns_names = {"node.example", "127.0.0.1"};
  leaf.extensions = {{"1.2.840.113741.1.13.1", false, {0x30, 0x00}}};
  return crypto::issue_certificate(leaf, leaf_key, middle_key)->to_pem() +
         crypto::issue_certificate(middle, middle_key, root_key)->to_pem() +
         crypto::issue_certificate(root, root_key, root_key)->to_pem();
}

Bytes tdx_quote(std::string_view pem) {
  codec::TdReport report;
  report.mr_td.fill(1);
  report.report_data.fill(2);
  codec::QeReport qe;
  qe.isv_prod_id = 2;
  const Bytes region = codec::write_tdx_v4_signed_region(report, {});
  return codec::write_tdx_v4_quote(region, {}, {}, codec::write_qe_report(qe), {}, Bytes(32, 3), as_bytes(pem));
}

// Returns the same quote as version 5. It has a descriptor before the body, and TD report 1.5 adds fields after the
// body.
Bytes as_version_5(const Bytes& v4, bool td15) {
  Bytes out(v4.begin(), v4.begin() + 48);
  out[0] = 5;
  append(out, td15 ? Bytes{3, 0, 0x88, 2, 0, 0} : Bytes{2, 0, 0x48, 2, 0, 0});
  out.insert(out.end(), v4.begin() + 48, v4.begin() + 632);
  if (td15) out.resize(out.size() + 64, 4);
  out.insert(out.end(), v4.begin() + 632, v4.end());
  return out;
}

Bytes gpu_report(std::uint8_t blocks) {
  codec::SpdmReport report;
  report.request_nonce.fill(5);
  for (std::uint8_t i = 1; i <= blocks; ++i) report.measurements.push_back({i, Bytes(48, i)});
  report.opaque[3] = to_bytes(as_bytes(std::string_view("550.90.07\0", 10)));
  report.opaque[6] = Bytes(8, 6);
  report.opaque[36] = {2};
  Bytes out = codec::write_spdm_signed_region(report);
  out.resize(out.size() + 96, 7);
  return out;
}

void add_quotes(const Corpus& corpus) {
  const Bytes v4 = tdx_quote(pem_chain(crypto::Curve::kP256));
  corpus.add("tdx_quote", "v4_with_pem_chain", v4);
  Bytes padded = v4;
  padded.resize(padded.size() + 70);
  corpus.add("tdx_quote", "v4_with_zero_padding", padded);
  corpus.add("tdx_quote", "v4_with_empty_chain", tdx_quote(""));
  corpus.add("tdx_quote", "v5_td_report_1_0", as_version_5(tdx_quote("pem"), false));
  corpus.add("tdx_quote", "v5_td_report_1_5", as_version_5(tdx_quote("pem"), true));
  Bytes sgx = tdx_quote("");
  sgx[0] = 3;
  corpus.add("tdx_quote", "sgx_version_3", sgx);
  corpus.add("tdx_quote", "cut_in_the_signature_data", Bytes(v4.begin(), v4.begin() + 800));
  Bytes huge = tdx_quote("");
  std::fill_n(huge.begin() + 632, 4, std::uint8_t{0xff});
  corpus.add("tdx_quote", "signature_size_of_4_gib", huge);
}

void add_gpu(const Corpus& corpus) {
  corpus.add("spdm", "sixty_four_measurements", gpu_report(64));
  corpus.add("spdm", "one_measurement", gpu_report(1));
  corpus.add("spdm", "no_measurement", gpu_report(0));
  Bytes padded = gpu_report(2);
  padded.push_back(0);
  corpus.add("spdm", "one_zero_byte_after_the_end", padded);

  evidence::NvidiaPayload payload{std::string(64, 'a'), "HOPPER", {}};
  corpus.add("nvidia_payload", "no_device", evidence::write_nvidia_payload(payload));
  payload.evidence_list.push_back({"HOPPER", gpu_report(2), pem_chain(crypto::Curve::kP384)});
  corpus.add("nvidia_payload", "one_device", evidence::write_nvidia_payload(payload));
  payload.evidence_list = {{"HOPPER", {1}, "a"}, {"HOPPER", {2}, "b"}};
  corpus.add("nvidia_payload", "two_devices", evidence::write_nvidia_payload(payload));
  corpus.add("nvidia_payload", "bare_array_of_the_sdk",
             R"([{"arch":"LS10","certificate":"YQ==","evidence":"AQ==","nonce":")" + std::string(64, '0') +
                 R"(","driver_version":"550.90.07"}])");
  corpus.add("nvidia_payload", "hints_that_disagree",
             R"({"nonce":")" + std::string(64, '0') +
                 R"(","arch":"HOPPER","evidence_list":[{"arch":"LS10","certificate":"YQ==","evidence":"AQ=="}]})");
}

void add_signatures(const Corpus& corpus) {
  const std::string text = evidence::signed_text(fixed<32>(Bytes(32, 0xab)), fixed<32>(Bytes(32, 0xcd)));
  const auto key = crypto::Secp256k1Key::from_secret(Bytes(32, 1));
  const evidence::ChatSignature ecdsa = {text, "0x" + to_hex(key->sign_text(text)),
                                         crypto::eth_address_text(key->address()), evidence::SigningAlgo::kEcdsa};
  const auto ed25519_key = crypto::Ed25519Key::from_seed(Bytes(32, 1));
  const evidence::ChatSignature ed25519 = {text, to_hex(ed25519_key->sign(as_bytes(text))),
                                           to_hex(ed25519_key->public_key()), evidence::SigningAlgo::kEd25519};
  corpus.add("chat_signature", "ecdsa_object", evidence::to_json(ecdsa).dump());
  corpus.add("chat_signature", "ed25519_object", evidence::to_json(ed25519).dump());
  corpus.add("chat_signature", "text_of_two_parts", text);
  corpus.add("chat_signature", "text_of_three_parts", "vendor/model:free:" + text);
  corpus.add("chat_signature", "text_in_upper_case", std::string(64, 'A') + ":" + std::string(64, 'B'));

  evidence::Proof proof;
  proof.url = "http://127.0.0.1:8080";
  proof.time = 1795383060;
  proof.nonce_hex = std::string(64, 'a');
  proof.request = to_bytes(as_bytes("{}"));
  proof.response = {0, 255};
  proof.signature = ecdsa;
  proof.report = R"({"intel_quote":"00"})";
  corpus.add("proof", "with_report", evidence::write_proof(proof));
  proof.report.clear();
  proof.nonce_hex.clear();
  proof.signature = ed25519;
  corpus.add("proof", "without_report", evidence::write_proof(proof));
  corpus.add("proof", "of_another_version", R"({"proof":"cloister.proof.v2"})");
}

// The receipt is signed with the key of the keyset in receipt_fuzz.cc.
std::string receipt(
    const Json& events, const std::function<void(Json&)>& edit = [](Json&) {}) {
  Json out = {{"api_version", "aci/1"},
              {"receipt_id", "rcpt-1"},
              {"chat_id", nullptr},
              {"model", "m"},
              {"workload_keyset_digest", "sha256:" + std::string(64, '0')},
              {"endpoint", "/v1/chat/completions"},
              {"method", "POST"},
              {"served_at", 1780000000},
              {"event_log", events},
              {"key_id", "receipt-1"}};
  const auto key = crypto::Ed25519Key::from_seed(Bytes(32, 2));
  out["signature"] = to_hex(key->sign(as_bytes(*codec::write_jcs(out))));
  edit(out);
  return out.dump();
}

void add_receipts(const Corpus& corpus) {
  const std::string empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const Json received = {{"type", "request.received"}, {"body_hash", empty}};
  const Json forwarded = {{"type", "request.forwarded"}, {"body_hash", empty}};
  const Json returned = {{"type", "response.returned"}, {"body_hash", empty}};
  const Json upstream = {{"type", "upstream.verified"},
                         {"result", "verified"},
                         {"required", true},
                         {"model_id", "m"},
                         {"session_id", std::string(64, '9')}};
  const Json metered = {{"type", "usage.metered"}, {"prompt_tokens", 3}};
  corpus.add("receipt", "of_a_direct_service", receipt(Json::array({received, forwarded, metered, returned})));
  corpus.add("receipt", "of_an_aggregator", receipt(Json::array({received, forwarded, upstream, returned})));
  corpus.add("receipt", "of_a_refusal", receipt(Json::array({received, returned})));
  corpus.add("receipt", "events_out_of_order", receipt(Json::array({returned, received})));
  corpus.add("receipt", "changed_after_signing",
             receipt(Json::array({received, returned}), [](Json& r) { r["model"] = "other"; }));
  corpus.add("receipt", "member_of_unknown_name",
             receipt(Json::array({received, returned}), [](Json& r) { r["verified"] = true; }));
}

void add_export_lines(const Corpus& corpus) {
  const std::string empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const std::string text = receipt(Json::array({{{"type", "request.received"}, {"body_hash", empty}}}));
  Json line = {{"form", "cloister.receipt.v1"}, {"receipt_id", "rcpt-1"},  {"reply_ids", Json::array()},
               {"owner", std::string(32, '0')}, {"served_at", 1780000000}, {"receipt", text}};
  corpus.add("export_line", "receipt_alone", line.dump());
  line["reply_ids"] = {"chatcmpl-1", "größe"};
  line["legacy"] = {{"request_sha256", std::string(64, '1')},
                    {"response_sha256", std::string(64, '2')},
                    {"ecdsa", std::string(130, '3')}};
  line["event_hashes"] = to_base64(Bytes(64, 5));
  corpus.add("export_line", "receipt_with_everything", line.dump());
  line["form"] = "cloister.receipt.v2";
  corpus.add("export_line", "receipt_of_version_2", line.dump());
  line["event_hashes"] = "AAAA";
  corpus.add("export_line", "hashes_of_three_bytes", line.dump());
  line["served_at"] = 1;
  corpus.add("export_line", "of_another_time", line.dump());
  const Json document = {
      {"form", "cloister.document.v1"}, {"kind", "policy"}, {"key", empty}, {"made", 1780000000}, {"text", "{}"}};
  corpus.add("export_line", "document", document.dump());
  corpus.add("export_line", "of_another_version", R"({"form":"cloister.receipt.v3"})");
  corpus.add("export_line", "sealed", R"({"form":"cloister.sealed.v1","sealed":")" + to_base64(Bytes(80, 7)) + "\"}");
}

void add_certificates(const Corpus& corpus) {
  const std::string p256 = pem_chain(crypto::Curve::kP256);
  corpus.add("pem_chain", "three_on_p256", p256);
  corpus.add("pem_chain", "three_on_p384", pem_chain(crypto::Curve::kP384));
  corpus.add("pem_chain", "with_trailing_zero", p256 + std::string(1, '\0'));
  corpus.add("pem_chain", "not_base64_inside", "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n");
  corpus.add("pem_chain", "der_of_a_leaf", crypto::parse_pem_chain(as_bytes(p256))->front().der());
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      out += c;
    } else {
      out += "%" + to_hex(as_bytes(std::string_view(&c, 1)));
    }
  }
  return out;
}

void add_fetched(const Corpus& corpus) {
  verify::Collateral all;
  all.tdx.resize(1);
  all.tdx[0].tcb_info = R"({"id":"TDX"})";
  all.tdx[0].root_ca_crl = {0x30, 0};
  all.rims["NV_GPU_DRIVER_GH100_550.144.03"] = "<x/>";
  all.ocsp_responses = {{0x30, 0}};
  all.nras_token = "[]";
  all.snp.resize(1);
  all.snp[0].vcek = {0x30, 0};
  corpus.add("bundle", "of_everything", verify::write_bundle(all));
  corpus.add("bundle", "of_nothing", verify::write_bundle({}));
  corpus.add("bundle", "of_another_version", R"({"collateral":"cloister.collateral.v2"})");
  corpus.add(
      "bundle", "bare_platform",
      R"({"pck_crl_issuer_chain":"","root_ca_crl":"3000","pck_crl":"","tcb_info_issuer_chain":"",)"
      R"("tcb_info":"{}","tcb_info_signature":"","qe_identity_issuer_chain":"","qe_identity":"{}","qe_identity_signature":"",)"
      R"("pck_certificate_chain":null})");
  corpus.add("bundle", "rim_id_with_a_path", R"({"collateral":"cloister.collateral.v1","rims":{"../x":"AA=="}})");

  collateral::CacheEntry entry;
  entry.url = "https://api.example/tcb?fmspc=00";
  entry.fetched = 1700000000;
  entry.valid_until = 1700086400;
  entry.response.headers = {{"tcb-info-issuer-chain", "%2D"}};
  entry.response.body = "{}";
  corpus.add("cache_entry", "with_a_header", collateral::write_cache_entry(entry));
  entry.response.headers.clear();
  entry.response.body.clear();
  corpus.add("cache_entry", "with_an_empty_body", collateral::write_cache_entry(entry));
  corpus.add("cache_entry", "without_a_body", R"({"cache":"cloister.cache.v1"})");

  const std::string pem = pem_chain(crypto::Curve::kP256);
  const std::string two = pem.substr(pem.find("-----BEGIN", 1));
  corpus.add("issuer_chain", "two_certificates", percent_encoded(two));
  corpus.add("issuer_chain", "three_certificates", percent_encoded(pem));
  corpus.add("issuer_chain", "not_encoded", two);
  corpus.add("issuer_chain", "escape_cut_off", "%2D%2");

  const std::string quote = to_hex(tdx_quote(""));
  const std::string payload = evidence::write_nvidia_payload({std::string(64, 'a'), "HOPPER", {{"HOPPER", {1}, "a"}}});
  corpus.add("evidence_scan", "quote_as_hex", R"({"intel_quote":")" + quote + R"("})");
  corpus.add("evidence_scan", "quote_as_base64_in_a_list", R"([["0"],[{"q":")" + to_base64(tdx_quote("")) + R"("}]])");
  corpus.add("evidence_scan", "payload_as_text", Json{{"nvidia_payload", payload}}.dump());
  corpus.add("evidence_scan", "payload_as_object", R"({"gpu":)" + payload + "}");
  corpus.add("evidence_scan", "text_in_text_in_text", R"(["[\"[\\\"{}\\\"]\"]"])");

  corpus.add("rim_answer", "with_everything",
             R"({"id":"NV_GPU_DRIVER_GH100_550.144.03","rim":"PHgvPg==","rim_format":"TCG","sha256":")" +
                 to_hex(crypto::sha256(as_bytes("<x/>"))) + R"("})");
  corpus.add("rim_answer", "without_digest", R"({"id":"NV_GPU_DRIVER_GH100_550.144.03","rim":"PHgvPg=="})");
  corpus.add("rim_answer", "of_another_id", R"({"id":"NV_X","rim":"PHgvPg=="})");
  corpus.add("rim_answer", "head_of_a_manifest", R"(<Meta colloquialVersion="550.144.03" product="GH100"/>)");
  corpus.add("rim_answer", "name_of_a_sample", "1010_0200_882_96005E0001_PROD");
}

std::string small_manifest(const std::string& resources) {
  return "<SoftwareIdentity xmlns=\"http://standards.iso.org/iso/19770/-2/2015/schema.xsd\" "
         "xmlns:n=\"http://www.w3.org/2001/04/xmlenc#sha384\" tagId=\"t\"><Meta colloquialVersion=\"550.1\" "
         "edition=\"GPU\" product=\"GH100\"/><Payload>" +
         resources + "</Payload></SoftwareIdentity>";
}

std::string resource(int index, const char* active, int alternatives) {
  std::string out = "<Resource type=\"Measurement\" index=\"" + std::to_string(index) + "\" active=\"" + active +
                    "\" size=\"4\" alternatives=\"" + std::to_string(alternatives) + "\"";
  for (int i = 0; i < alternatives; ++i) out += " n:Hash" + std::to_string(i) + "=\"0011aabb\"";
  return out + "/>";
}

void add_manifests(const Corpus& corpus) {
  const Bytes seed(32, 1);
  const crypto::EcKey key = *crypto::EcKey::derive(crypto::Curve::kP384, seed, "leaf");
  const std::string plain = small_manifest(resource(0, "True", 1) + resource(9, "False", 2));
  corpus.add("rim", "unsigned", plain);
  corpus.add("rim", "index_twice", small_manifest(resource(3, "True", 1) + resource(3, "True", 1)));
  corpus.add("rim", "no_resource", small_manifest(""));
  corpus.add("rim", "two_payloads", small_manifest("</Payload><Payload>"));
  corpus.add("rim", "signed",
             *crypto::sign_xml(plain, key, *crypto::parse_pem_chain(as_bytes(pem_chain(crypto::Curve::kP384)))));
  corpus.add("rim", "entity", "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>");
  corpus.add("rim", "corim", "\xd9\x01\xf5\xa0");
}

void add_ocsp(const Corpus& corpus) {
  const auto key = [](const char* label) { return *crypto::EcKey::derive(crypto::Curve::kP384, Bytes(32, 1), label); };
  crypto::CertificateSpec root;
  root.subject_common_name = root.issuer_common_name = "Root";
  root.not_after = 253402300799;
  root.serial = {1};
  root.is_ca = true;
  crypto::CertificateSpec leaf = root;
  leaf.subject_common_name = "Leaf";
  leaf.serial = {2};
  leaf.is_ca = false;
  const crypto::Certificate issuer = *crypto::issue_certificate(root, key("root"), key("root"));
  const crypto::Certificate subject = *crypto::issue_certificate(leaf, key("leaf"), key("root"));
  crypto::OcspResponseSpec spec;
  spec.this_update = 1780271000;
  const auto add = [&](const char* name) {
    corpus.add("ocsp", name, *crypto::make_ocsp_response(spec, subject, issuer, issuer, key("root")));
  };
  add("good_without_next_update");
  spec.next_update = 1780273000;
  spec.nonce = Bytes(32, 5);
  add("good_with_nonce");
  spec.status = crypto::OcspStatus::kOnHold;
  add("on_hold");
  spec.status = crypto::OcspStatus::kUnknown;
  spec.included = {subject};
  add("unknown_with_certificate");
  corpus.add("ocsp", "try_later", Bytes{0x30, 0x03, 0x0a, 0x01, 0x03});
}

void add_tokens(const Corpus& corpus) {
  const crypto::EcKey key = *crypto::EcKey::derive(crypto::Curve::kP384, Bytes(32, 1), "token");
  const auto token = [&](const char* header, const char* claims) {
    const std::string text = codec::to_base64url(as_bytes(header)) + "." + codec::to_base64url(as_bytes(claims));
    return text + "." + codec::to_base64url(key.sign(as_bytes(text)));
  };
  const char* good = R"({"kid":"k","alg":"ES384"})";
  const std::string gpu = token(good, R"({"ueid":"1","measres":"success","secboot":true,"dbgstat":"disabled"})");
  corpus.add("token", "jwt", gpu);
  corpus.add("token", "jwt_of_no_algorithm", token(R"({"kid":"k","alg":"none"})", "{}"));
  const std::string overall =
      token(good, R"({"nbf":1780271000,"exp":1780273000,"submods":{"GPU-0":["DIGEST",["SHA-256","00"]]}})");
  corpus.add("token", "detached_eat", R"([["JWT",")" + overall + R"("],{"GPU-0":")" + gpu + R"("}])");
  corpus.add("token", "detached_eat_of_no_gpu", R"([["JWT",")" + overall + R"("],{}])");
  const Bytes point = key.public_point();
  corpus.add("token", "key_set",
             R"({"keys":[{"kty":"EC","crv":"P-384","kid":"k","x":")" + codec::to_base64url(ByteView(point).first(48)) +
                 R"(","y":")" + codec::to_base64url(ByteView(point).subspan(48)) + R"("}]})");
}

void add_texts(const Corpus& corpus) {
  corpus.add("json", "every_kind_of_value", R"({"a":[1,-2,3.5e-1,true,false,null,"x",{},[]]})");
  corpus.add("json", "chat_request", R"({"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true})");
  corpus.add("json", "deeply_nested_array", std::string(64, '[') + std::string(64, ']'));
  corpus.add("json", "one_level_too_deep", std::string(65, '[') + std::string(65, ']'));
  corpus.add("json", "duplicate_names", R"({"a":1,"\u0061":2})");
  corpus.add("json", "surrogate_pair_and_lone_surrogate", R"(["\ud83d\ude00","\ud800"])");
  corpus.add("json", "overlong_utf8", "\"\xc0\x80\"");
  corpus.add("json", "zero_byte_after_the_value", std::string_view("1\0x", 3));
  corpus.add("json", "numbers_at_the_limits",
             "[18446744073709551615,18446744073709551616,-9223372036854775808,1e308,1e309,5e-324]");
  corpus.add("jcs", "members_out_of_order",
             "{\"b\":1,\"\\u20ac\":2,\"\\ud83d\\ude00\":3,\"\\ufb33\":4,\"a\":{\"d\":[],\"c\":{}}}");
  corpus.add("jcs", "numbers_of_every_form",
             "[333333333.33333329,1E30,4.50,2e-3,1e-27,-0.0,1e21,123456789012345680000]");
  corpus.add("jcs", "integer_beyond_a_double", "[9007199254740993]");
  corpus.add("jcs", "text_to_escape", "\"\\u0000\\u001f\\b\\t\\n\\f\\r\\\"\\\\/\\u007f\\u00f6\"");
  corpus.add("encoding", "hex_lower_and_upper", "00ffAB");
  corpus.add("encoding", "base64_with_padding", "AP8KDQ==");
  corpus.add("encoding", "base64_trailing_bits", "AB==");
  corpus.add("encoding", "ethereum_address", "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
  const auto signature = crypto::Secp256k1Key::from_secret(Bytes(32, 1))->sign_text("text");
  Bytes signed_text = to_bytes(signature);
  append(signed_text, as_bytes("text"));
  corpus.add("encoding", "ethereum_signature_and_its_text", signed_text);
  corpus.add("sse", "two_events", "data: {\"a\":1}\n\ndata: [DONE]\n\n");
  corpus.add("sse", "data_of_several_lines", "event: x\ndata: 1\ndata:2\nid: 7\n\n");
  corpus.add("sse", "all_three_line_ends", "data: 1\r\n\r\ndata: 2\r\rdata: 3\n\n");
  corpus.add("sse", "comments_and_unknown_fields", ": ping\nretry: 5\nfoo\ndata\n\n");
  corpus.add("sse", "event_without_end", "data: 1");
}

Json boot_log() {
  using evidence::runtime_event;
  evidence::Event firmware;
  firmware.imr = 0;
  firmware.event_type = 0x8000000b;
  firmware.digest.fill(1);
  return evidence::event_log_json({firmware, runtime_event("system-preparing", {}),
                                   runtime_event("app-id", Bytes(20, 2)), runtime_event("compose-hash", Bytes(32, 3)),
                                   runtime_event("key-provider", as_bytes(R"({"name":"kms","id":"aa"})")),
                                   runtime_event("system-ready", {})});
}

void add_event_logs(const Corpus& corpus) {
  const Json log = boot_log();
  corpus.add("event_log", "boot_of_one_application", log.dump());
  corpus.add("event_log", "string_that_holds_an_array", Json(log.dump()).dump());
  corpus.add("event_log", "empty", "[]");
  Json stripped = log, version_2 = log, second = log;
  for (Json& entry : stripped) {
    if (entry["imr"] == 3) entry["digest"] = "";
  }
  corpus.add("event_log", "runtime_digests_stripped", stripped.dump());
  version_2[2]["version"] = 2;
  version_2[2]["preimage"] = to_hex(as_bytes(evidence::runtime_event_text_v2("app-id", Bytes(20, 2))));
  corpus.add("event_log", "version_2_with_preimage", version_2.dump());
  second.push_back(second[3]);
  corpus.add("event_log", "second_compose_hash", second.dump());
  Json hidden = log;
  hidden[3]["event_type"] = 4;
  hidden[3]["event"] = hidden[3]["event_payload"] = "";
  corpus.add("event_log", "register_3_of_another_type", hidden.dump());
  corpus.add("event_log", "register_4", R"([{"imr":4,"event_type":1,"digest":")" + std::string(96, '0') + R"("}])");

  codec::CcelEvent event{0, 0x8000000b, {}, Bytes(8, 1)};
  corpus.add("ccel", "no_event", codec::write_ccel({}));
  Bytes two = codec::write_ccel({event, {3, 13, {}, {}}});
  corpus.add("ccel", "two_events", two);
  Bytes ones = two, zeros = two;
  ones.resize(two.size() + 64, 0xff);
  zeros.resize(two.size() + 64);
  corpus.add("ccel", "unused_space_of_ones", ones);
  corpus.add("ccel", "unused_space_of_zeros", zeros);
  std::fill_n(two.end() - 4, 4, std::uint8_t{0xff});
  corpus.add("ccel", "event_of_4_gib", two);
}

void add_snp_and_compose(const Corpus& corpus) {
  Bytes report(codec::kSnpReportSize);
  report[0] = 2;
  report[0x0a] = 2;
  report[0x34] = 1;
  corpus.add("snp_report", "version_2", report);
  report[0] = 3;
  report[0x188] = 0x19;
  report[0x189] = 0x11;
  corpus.add("snp_report", "version_3_genoa", report);
  Bytes version_4 = report;
  version_4[0] = 4;
  version_4[0x189] = 0x01;
  corpus.add("snp_report", "version_4_milan", version_4);
  report[0] = 5;
  report[0x188] = 0x1a;
  report[0x48] = 4;
  corpus.add("snp_report", "version_5_turin_vlek", report);
  report.pop_back();
  corpus.add("snp_report", "one_byte_short", report);

  const std::string pinned = "services:\n  a:\n    image: v/a@sha256:" + std::string(64, 'a') + "\n";
  corpus.add("app_compose", "pinned_image", pinned);
  corpus.add("app_compose", "image_by_tag", "services:\n  a:\n    image: \"v/a:1\"  # tag\n    build: .\n");
  corpus.add("app_compose", "keys_in_disguise", "\"\\x69mage\": a\n? image\n: b\n*k : c\n{image: d, 'image' : e}\n");
  corpus.add("app_compose", "whole_object",
             Json{{"name", "a"}, {"docker_compose_file", pinned}, {"allowed_envs", Json::array({"A"})}}.dump());
}

void add_models(const Corpus& corpus) {
  evidence::ModelIdentity identity;
  identity.id = "echo";
  identity.engine = {"echo", "0.1.0", {}, {}, {}};
  corpus.add("model_identity", "without_weights", evidence::to_json(identity).dump());
  identity.engine = {"llama.cpp", "0.1.0", "de3ff815", "cpu", "x86-64-v3"};
  identity.weights.emplace().files = {{"m-00001-of-00002.gguf", 1 << 21, {}}, {"m-00002-of-00002.gguf", 7, {}}};
  identity.weights->digest = evidence::weights_digest(identity.weights->files);
  identity.tokenizer_digest.emplace();
  identity.chat_template_digest.emplace();
  identity.architecture = "llama";
  identity.quantization = "Q4_1";
  identity.parameters = 134515008;
  identity.context_length = 4096;
  identity.settings = {{"parallel", 16}, {"flash_attention", "auto"}, {"share_prompt_cache", false}};
  corpus.add("model_identity", "in_two_parts", evidence::to_json(identity).dump());
  identity.claims["weights"] = {"asserted", "operator_asserted", "measured here, loaded there", std::nullopt};
  corpus.add("model_identity", "with_a_claim", evidence::to_json(identity).dump());
  Json wrong = evidence::to_json(identity);
  wrong["weights"]["files"].erase(1);
  corpus.add("model_identity", "a_file_too_few", wrong.dump());

  evidence::KnownAnswers answers;
  answers.model_id = "demo";
  answers.engine = "llama.cpp de3ff815 cpu x86-64-v3";
  answers.recorded_at = 1795383060;
  answers.tolerance = 0.05;
  evidence::KnownCase known;
  known.messages = {{"user", "What is the capital of France?"}};
  known.content = "a";
  known.tokens.assign(8, {{"a", -0.012345}, {"b", -4.5}});
  answers.cases = {known};
  corpus.add("known_answers", "one_case", evidence::to_json(answers).dump());
  answers.weights_digest.emplace();
  answers.chat_template_digest.emplace();
  answers.cases.push_back(known);
  answers.cases.back().content.reset();
  corpus.add("known_answers", "two_cases", evidence::to_json(answers).dump());
  answers.cases.front().tokens.front()[1].logprob = -0.5;
  corpus.add("known_answers", "a_near_tie", evidence::to_json(answers).dump());
  const auto results = evidence::sign_known_answers({{{}, {}, 1795383060, 4, 32, "0.001234", "0.050000"}}, "receipt-1",
                                                    [](std::string_view) { return ByteArray<64>{}; });
  corpus.add("known_answers", "results", results->dump());
  corpus.add(
      "answer", "one_token",
      R"({"choices":[{"message":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":-0.1,"top_logprobs":[)"
      R"({"token":"a","logprob":-0.1},{"token":"b","logprob":-3.0}]}]},"finish_reason":"length"}],"usage":{"completion_tokens":1}})");
  corpus.add(
      "answer", "null_logprob",
      R"({"choices":[{"message":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":null,"top_logprobs":[]}]}}]})");
  corpus.add("answer", "no_logprobs", R"({"choices":[{"message":{"content":"a"},"logprobs":null}]})");

  evidence::Archive archive;
  archive.judged_at = 1795383060;
  archive.receipt = "{}";
  corpus.add("archive", "receipt_alone", evidence::write_archive(archive));
  archive.report = "{}";
  archive.nonce.emplace();
  archive.request = std::string("\0\xff", 2);
  archive.response = "data: [DONE]\n\n";
  archive.model_manifest = evidence::to_json(identity).dump();
  archive.prefix_proof = "{}";
  archive.collateral = {{"collateral", "cloister.collateral.v1"}};
  corpus.add("archive", "everything", evidence::write_archive(archive));
  corpus.add("archive", "of_another_version", R"({"archive":"cloister.archive.v2"})");
}

}  // namespace

void add_corim(const Corpus& corpus) {
  const std::pair<const char*, std::string> seeds[] = {
      {"manifest",
       "d901f5a300686d616e69666573740181d901fa5890a201a1006374616704a2008182a100a201664e56494449410265475231"
       "303082a2000301a1028182075830000000000000000000000000000000000000000000000000000000000000000000000000"
       "000000000000000000000000a2006373766e01a101d9022904048182a100a201664e56494449410265475231303081a100a2"
       "01664e56494449410265475231303004a101c11a7c230d80"},
      {"signed", "d28449a20138221821423000a058aed901f5a300686d616e69666573740181d901fa5890a201a1006374616704a2008182a1"
                 "00a201664e56494449410265475231303082a2000301a1028182075830000000000000000000000000000000000000000000"
                 "000000000000000000000000000000000000000000000000000000a2006373766e01a101d9022904048182a100a201664e56"
                 "494449410265475231303081a100a201664e56494449410265475231303004a101c11a7c230d805860000000000000000000"
                 "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
                 "00000000000000000000000000000000000000000000000000000000000000000000000000"},
      {"alternatives_and_values",
       "d901f5a20078236578616d706c652d7662696f732d47523130305f303831445f393930303233303030300181d901fa590118"
       "a201a10078296578616d706c652d7662696f732d47523130305f303831445f393930303233303030302d636f6d696404a100"
       "8382a100a301664e5649444941026d47523130302041303120465350030081a101a102818207583099999999999999999999"
       "999999999999999999999999999999999999999999999999999999999999999999999999999982a100a100d86f502b060104"
       "01ac478a1401010b010a640482a2006446464d4301a102818207583004040404040404040404040404040404040404040404"
       "0404040404040404040404040404040404040404040404040404a200644653564e01a101d902290282a100a100d86f502b06"
       "010401ac478a1401010b010a640581a200644a54475301a104d902304102"},
      {"deeply_nested", "81818181818181818181818181818181818181818181818181818181818100"},
      {"long_list", "9bffffffffffffffff"},
      {"indefinite", "9fff"},
      {"one_key_twice", "a201020103"},
  };
  for (const auto& [name, hex] : seeds) corpus.add("corim", name, *from_hex(hex));
}

void add_coev(const Corpus& corpus) {
  const std::pair<const char*, std::string> seeds[] = {
      {"table_of_contents",
       "d9023aa30081d9023ba100a1008682a100a100d86f502b06010401ac478a1401010b010b010281a20067707572706f736501"
       "a10b664343204d505482a100a100d86f502b06010401ac478a1401010b010b640281a101a10ca100810282a100a100d86f50"
       "2b06010401ac478a1401010b010b640381a101a10ca100810382a100a100d86f502b06010401ac478a1401010b010b640981"
       "a101a10ca100810982a100a100d86f502b06010401ac478a1401010b010a640482a2006446464d4301a10ca1008104a20064"
       "4653564e01a101d902280282a100a100d86f502b06010401ac478a1401010b010a640581a200644a54475301a104d9023041"
       "020182a100d820783f68747470733a2f2f72696d2e6174746573746174696f6e2e6e76696469612e636f6d2f76312f72696d"
       "2f47523130305f303831445f39393030323330303030a100d820784468747470733a2f2f72696d2e6174746573746174696f"
       "6e2e6e76696469612e636f6d2f76312f72696d2f4e565f4750555f4452495645525f47523130305f3632302e353402d82078"
       "347461673a6e76696469612e636f6d2c323032363a65766964656e63652f7370646d2f70726f66696c65732f6770752f312e"
       "302e30"},
      {"one_environment",
       "d9023aa20081d9023ba100a1008182a100a100d86f502b06010401ac478a1401010b010b010281a20067707572706f736501"
       "a10b664343204d505402d8206178"},
      {"evidence_alone", "d9023ba100a0"},
      {"empty_table", "d9023aa0"},
  };
  for (const auto& [name, hex] : seeds) corpus.add("coev", name, *from_hex(hex));
}

void add_dice_tcb_info(const Corpus& corpus) {
  const std::pair<const char*, std::string> seeds[] = {
      {"of_a_gpu",
       "3081b180064e5649444941810d4752313030204130312047535082023030830103840100850100a67e303d06096086480165"
       "030402020430fdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfdfd"
       "fdfdfdfd303d0609608648016503040202043000000000000000000000000000000000000000000000000000000000000000"
       "0000000000000000000000000000000000870500800000018801c0890100"},
      {"empty", "3000"},
      {"flags_under_a_mask", "3008870204108a020318"},
      {"registers", "3002ab00"},
  };
  for (const auto& [name, hex] : seeds) corpus.add("dice_tcb_info", name, *from_hex(hex));
}

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_corpus DIR\n";
    return 2;
  }
  const Corpus corpus(argv[1]);
  add_quotes(corpus);
  add_gpu(corpus);
  add_signatures(corpus);
  add_receipts(corpus);
  add_export_lines(corpus);
  add_certificates(corpus);
  add_fetched(corpus);
  add_texts(corpus);
  add_event_logs(corpus);
  add_snp_and_compose(corpus);
  add_manifests(corpus);
  add_corim(corpus);
  add_coev(corpus);
  add_dice_tcb_info(corpus);
  add_ocsp(corpus);
  add_tokens(corpus);
  add_models(corpus);
  return 0;
}
