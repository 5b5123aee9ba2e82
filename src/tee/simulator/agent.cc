#include "tee/simulator/agent.h"

#include <map>
#include <utility>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "tee/runtime_event.h"
#include "tee/simulator/agent_keys.h"

namespace cloister::tee {
namespace {

constexpr std::uint64_t kMostRequest = 1u << 20;

Error bad(const std::string& what) { return fail(ErrorCode::kInvalidRequest, what); }

// Members of a request. Absent and null mean the type's empty value, as in the protocol's messages.
Result<std::string> text(const Json& request, const char* name) {
  const auto member = request.find(name);
  if (member == request.end() || member->is_null()) return std::string();
  if (!member->is_string()) return bad(std::string(name) + ": expected a string");
  return member->get<std::string>();
}

Result<Bytes> bytes(const Json& request, const char* name) {
  TRY(hex, text(request, name));
  Result<Bytes> value = from_hex(hex);
  if (!value) return bad(std::string(name) + ": " + value.error().message);
  return value;
}

Result<std::uint64_t> number(const Json& request, const char* name, std::uint64_t most) {
  const auto member = request.find(name);
  if (member == request.end() || !member->is_number_unsigned() || member->get<std::uint64_t>() > most) {
    return bad(std::string(name) + ": expected a whole number up to " + std::to_string(most));
  }
  return member->get<std::uint64_t>();
}

Result<bool> flag(const Json& request, const char* name) {
  const auto member = request.find(name);
  if (member == request.end() || member->is_null()) return false;
  if (!member->is_boolean()) return bad(std::string(name) + ": expected true or false");
  return member->get<bool>();
}

Result<std::vector<std::string>> texts(const Json& request, const char* name) {
  std::vector<std::string> out;
  const auto member = request.find(name);
  if (member == request.end() || member->is_null()) return out;
  if (!member->is_array() || member->size() > 32) return bad(std::string(name) + ": expected at most 32 strings");
  for (const Json& element : *member) {
    if (!element.is_string()) return bad(std::string(name) + ": expected strings");
    out.push_back(element.get<std::string>());
  }
  return out;
}

Result<evidence::ReportData> padded(ByteView data) {
  if (data.size() > 64) return bad("Report data is too long");
  evidence::ReportData out{};
  std::copy(data.begin(), data.end(), out.begin());
  return out;
}

// The older generation hashes the given data, after a tag.
Result<evidence::ReportData> tagged(const std::string& algorithm, const std::string& prefix, ByteView data) {
  if (algorithm == "raw") {
    if (data.size() != 64) return bad("raw report data has 64 bytes");
    return padded(data);
  }
  Bytes message = to_bytes(as_bytes((prefix.empty() ? "app-data" : prefix) + ":"));
  append(message, data);
  if (algorithm == "sha256") return padded(crypto::sha256(message));
  if (algorithm == "sha384") return padded(crypto::sha384(message));
  if (algorithm == "sha512") return padded(crypto::sha512(message));
  return bad("the simulator has the hash algorithms sha256, sha384, sha512 and raw");
}

class SimulatedAgent final : public http::Handler {
 public:
  SimulatedAgent(std::unique_ptr<SimulatedMachine> tee, AgentKeys keys) : tee_(std::move(tee)), keys_(std::move(keys)) {
    const auto both = [this](const char* name, Call call) {
      calls_[std::string("/") + name] = call;
      calls_[std::string("/prpc/Tappd.") + name] = call;
    };
    both("Info", &SimulatedAgent::info);
    both("Version", &SimulatedAgent::version);
    calls_["/GetQuote"] = &SimulatedAgent::get_quote;
    calls_["/GetKey"] = &SimulatedAgent::get_key;
    calls_["/GetTlsKey"] = &SimulatedAgent::get_tls_key;
    calls_["/EmitEvent"] = &SimulatedAgent::emit_event;
    calls_["/insecure-simulator/Extend"] = &SimulatedAgent::extend;
    calls_["/insecure-simulator/ServeLog"] = &SimulatedAgent::serve_log;
    calls_["/GpuInfo"] = &SimulatedAgent::gpu_info;
    calls_["/Sign"] = &SimulatedAgent::sign;
    calls_["/Verify"] = &SimulatedAgent::verify;
    calls_["/prpc/Tappd.RawQuote"] = &SimulatedAgent::raw_quote;
    calls_["/prpc/Tappd.TdxQuote"] = &SimulatedAgent::tdx_quote;
    calls_["/prpc/Tappd.DeriveKey"] = &SimulatedAgent::derive_key;
    calls_["/prpc/Tappd.DeriveK256Key"] = &SimulatedAgent::derive_k256_key;
  }

  std::optional<http::Admission> admit(const http::RequestHead&, http::Parking&) override {
    return http::Admission{kMostRequest, nullptr};
  }

  void handle(std::shared_ptr<http::Exchange> exchange) override {
    const http::Request& request = exchange->request();
    const auto call = calls_.find(request.path);
    if (call == calls_.end()) return exchange->respond(error_response(404, "Service not found: " + request.path));
    if (request.method != "POST" && request.method != "GET") {
      return exchange->respond(error_response(405, "expected POST or GET"));
    }
    Result<Json> answer = run(call->second, request);
    if (!answer) return exchange->respond(error_response(400, answer.error().message));
    exchange->respond(json_response(200, *answer));
  }

  http::Response protocol_error(int status, std::string_view message, std::string_view) override {
    return error_response(status, std::string(message));
  }

 private:
  using Call = Result<Json> (SimulatedAgent::*)(const Json&);

  static http::Response json_response(int status, const Json& body) {
    http::Response response;
    response.status = status;
    response.headers.emplace_back("x-insecure-simulator", "true");
    response.body = codec::write_json(body);
    return response;
  }
  static http::Response error_response(int status, const std::string& message) {
    return json_response(status, Json{{"error", message}});
  }

  Result<Json> run(Call call, const http::Request& request) {
    Json arguments = Json::object();
    if (!request.body.empty()) {
      TRY(parsed, codec::parse_json(request.body, {kMostRequest, 8, 256}));
      if (!parsed.is_object()) return bad("expected an object");
      arguments = std::move(parsed);
    }
    return (this->*call)(arguments);
  }

  Result<Json> quote(const evidence::ReportData& report_data, Json more) {
    TRY(quote, tee_->quote(report_data));
    TRY(events, tee_->event_log());
    const std::string log = served_log_ ? *served_log_ : codec::write_json(evidence::event_log_json(events));
    Json out = {{"quote", to_hex(quote)}, {"event_log", log}};
    out.update(more);
    return out;
  }

  Result<Json> get_quote(const Json& request) {
    TRY(data, bytes(request, "report_data"));
    TRY(report_data, padded(data));
    TRY(info, tee_->info());
    // `attestation` is for platforms other than TDX.
    return quote(report_data,
                 {{"report_data", to_hex(report_data)}, {"vm_config", info.vm_config}, {"attestation", ""}});
  }

  Result<Json> tdx_quote(const Json& request) {
    TRY(data, bytes(request, "report_data"));
    TRY(algorithm, text(request, "hash_algorithm"));
    TRY(prefix, text(request, "prefix"));
    if (algorithm.empty()) algorithm = "sha512";
    TRY(report_data, tagged(algorithm, prefix, data));
    const std::string tag = algorithm == "raw" ? "" : prefix.empty() ? "app-data" : prefix;
    return quote(report_data, {{"hash_algorithm", algorithm}, {"prefix", tag}});
  }

  Result<Json> raw_quote(const Json& request) {
    TRY(data, bytes(request, "report_data"));
    TRY(report_data, tagged("raw", "", data));
    return quote(report_data, {{"hash_algorithm", "raw"}, {"prefix", ""}});
  }

  Result<Json> info(const Json&) {
    TRY(info, tee_->info());
    const Json tcb_info = info.info.at("tcb_info");
    info.info["mr_aggregated"] = tcb_info.at("mr_aggregated");
    info.info["tcb_info"] = codec::write_json(tcb_info);
    info.info["cloud_vendor"] = "";
    info.info["cloud_product"] = "";
    return std::move(info.info);
  }

  Result<Json> version(const Json&) { return Json{{"version", CLOISTER_VERSION}, {"rev", "insecure-simulator"}}; }

  // No GPU was attested at this machine's boot, since it has none.
  Result<Json> gpu_info(const Json&) { return Json{{"attestation", ""}}; }

  Result<Json> emit_event(const Json& request) {
    TRY(name, text(request, "event"));
    TRY(payload, bytes(request, "payload"));
    if (payload.size() > kMostEventPayload) return bad("payload: more than 65536 bytes");
    TRY_VOID(tee_->measure(evidence::runtime_event(name, payload)));
    return Json();  // dstack's agent writes nothing at all; its Rust client accepts no object here
  }

  Result<Json> extend(const Json& request) {
    TRY(imr, number(request, "imr", 3));
    TRY(type, number(request, "event_type", 0xffffffff));
    TRY(name, text(request, "event"));
    TRY(payload, bytes(request, "payload"));
    evidence::Event event = evidence::runtime_event(name, payload);
    event.imr = static_cast<int>(imr);
    event.event_type = static_cast<std::uint32_t>(type);
    TRY(digest_hex, text(request, "digest"));
    if (!digest_hex.empty()) {
      TRY(digest, from_hex_exactly<48>(digest_hex));
      event.digest = digest;
    }
    TRY_VOID(tee_->measure(std::move(event)));
    return Json::object();
  }

  Result<Json> serve_log(const Json& request) {
    TRY(log, text(request, "event_log"));
    served_log_ = std::move(log);
    return Json::object();
  }

  Result<Json> get_key(const Json& request) {
    TRY(path, text(request, "path"));
    TRY(purpose, text(request, "purpose"));
    TRY(algorithm, text(request, "algorithm"));
    return keys_.get_key(path, purpose, algorithm);
  }

  Result<Json> derive_k256_key(const Json& request) {
    TRY(key, get_key(request));
    return Json{{"k256_key", key["key"]}, {"k256_signature_chain", key["signature_chain"]}};
  }

  Result<Json> get_tls_key(const Json& request) { return tls_key(request, std::nullopt); }

  Result<Json> derive_key(const Json& request) {
    TRY(path, text(request, "path"));
    return tls_key(request, path);
  }

  Result<Json> tls_key(const Json& request, const std::optional<std::string>& path) {
    TRY(ra_tls, flag(request, "usage_ra_tls"));
    if (ra_tls) return bad("the simulator issues no RA-TLS certificates");
    TRY(subject, text(request, "subject"));
    TRY(names, texts(request, "alt_names"));
    return keys_.tls_key(path, subject, names);
  }

  Result<Json> sign(const Json& request) {
    TRY(algorithm, text(request, "algorithm"));
    TRY(data, bytes(request, "data"));
    return keys_.sign(algorithm, data);
  }

  Result<Json> verify(const Json& request) {
    TRY(algorithm, text(request, "algorithm"));
    TRY(data, bytes(request, "data"));
    TRY(signature, bytes(request, "signature"));
    TRY(public_key, bytes(request, "public_key"));
    return AgentKeys::verify(algorithm, data, signature, public_key);
  }

  const std::unique_ptr<SimulatedMachine> tee_;
  const AgentKeys keys_;
  std::optional<std::string> served_log_;  // used by the loop's thread
  std::map<std::string, Call> calls_;
};

}  // namespace

Result<std::unique_ptr<http::Handler>> make_simulated_agent(SimulatorOptions options) {
  const SecretBytes seed = options.seed.clone();
  TRY(tee, make_simulated_machine(std::move(options)));
  TRY(keys, AgentKeys::make(seed.expose(), *tee));
  return std::unique_ptr<http::Handler>(std::make_unique<SimulatedAgent>(std::move(tee), std::move(keys)));
}

}  // namespace cloister::tee
