#include "collateral/source.h"

#include <map>
#include <utility>

#include "codec/spdm.h"
#include "collateral/amd.h"
#include "collateral/http_fetcher.h"
#include "collateral/needs.h"
#include "collateral/nvidia.h"
#include "collateral/ocsp_queries.h"
#include "collateral/parallel.h"

namespace cloister::collateral {
namespace {

constexpr std::size_t kThreads = 8;

// The jobs of one round. Each has a list of its own for problems, so that the order of problems does not depend on
// which answer came first.
class Round {
 public:
  // `job` returns an Error or writes to variables that outlive run().
  void add(std::function<Result<void>(std::vector<std::string>&)> job) { jobs_.push_back(std::move(job)); }
  void add(std::function<Result<void>()> job) {
    add([job = std::move(job)](std::vector<std::string>&) { return job(); });
  }

  void run(std::vector<std::string>& problems) {
    std::vector<std::vector<std::string>> found(jobs_.size());
    std::vector<std::function<void()>> work;
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      work.emplace_back([this, &found, i] {
        if (auto done = jobs_[i](found[i]); !done) found[i].push_back(done.error().message);
      });
    }
    run_parallel(work, kThreads);
    for (auto& list : found) problems.insert(problems.end(), list.begin(), list.end());
  }

 private:
  std::vector<std::function<Result<void>(std::vector<std::string>&)>> jobs_;
};

// Intel's pieces: what several platforms have in common is asked for once.
class IntelPieces {
 public:
  IntelPieces(const IntelService& service, const std::set<TdxPlatform>& platforms, Round& round)
      : platforms_(platforms) {
    if (platforms.empty()) return;
    for (const TdxPlatform& platform : platforms) {
      tcb_info_[platform.fmspc];
      pck_crl_[platform.ca];
    }
    // Maps keep their elements in place, so each job has its own element.
    for (auto& [fmspc, piece] : tcb_info_) {
      round.add([&service, &fmspc = fmspc, &piece = piece] { return service.get_tcb_info(fmspc, piece); });
    }
    for (auto& [ca, piece] : pck_crl_) {
      round.add([&service, ca = ca, &piece = piece] { return service.get_pck_crl(ca, piece); });
    }
    round.add([&service, this] { return service.get_qe_identity(shared_identity_); });
    round.add([&service, this] { return service.get_root_crl(shared_root_crl_); });
  }
  IntelPieces(const IntelPieces&) = delete;
  IntelPieces& operator=(const IntelPieces&) = delete;

  void put_into(verify::Collateral& out) {
    for (const TdxPlatform& platform : platforms_) {
      verify::TdxCollateral whole = tcb_info_[platform.fmspc];
      const verify::TdxCollateral& crl = pck_crl_[platform.ca];
      whole.pck_crl = crl.pck_crl;
      whole.pck_crl_issuer_chain = crl.pck_crl_issuer_chain;
      whole.qe_identity = shared_identity_.qe_identity;
      whole.qe_identity_signature = shared_identity_.qe_identity_signature;
      whole.qe_identity_issuer_chain = shared_identity_.qe_identity_issuer_chain;
      whole.root_ca_crl = shared_root_crl_.root_ca_crl;
      const bool nothing =
          whole.tcb_info.empty() && whole.qe_identity.empty() && whole.pck_crl.empty() && whole.root_ca_crl.empty();
      if (!nothing) out.tdx.push_back(std::move(whole));
    }
  }

 private:
  const std::set<TdxPlatform>& platforms_;
  std::map<ByteArray<6>, verify::TdxCollateral> tcb_info_;
  std::map<PckCa, verify::TdxCollateral> pck_crl_;
  verify::TdxCollateral shared_identity_, shared_root_crl_;
};

// The service appraises devices of one architecture at a time, and switches separately from GPUs.
Result<std::string> get_nras_token(const NvidiaService& service, const Evidence& evidence, bool switches) {
  NrasQuery query{evidence.gpu_nonce_hex, {}, {}, false};
  for (const evidence::GpuEvidence& device : evidence.devices) {
    if ((device.arch == kSwitchArch) != switches) continue;
    if (query.devices.empty()) query.arch = device.arch;
    if (device.arch != query.arch) {
      return fail(ErrorCode::kNoCollateral,
                  "NVIDIA's remote attestation service was not asked: it verifies devices of one architecture only");
    }
    const auto report = codec::parse_spdm_report(device.report);
    query.versioned = query.versioned || (report && report->opaque_version);
    query.devices.push_back(device);
  }
  if (query.devices.empty()) return std::string();
  return service.get_nras_token(query);
}

Result<void> get_nras(const NvidiaService& service, const Evidence& evidence, verify::Collateral& out) {
  if (evidence.gpu_nonce_hex.empty()) {
    return fail(ErrorCode::kNoCollateral, "NVIDIA's remote attestation service was not asked: the nonce is not known");
  }
  TRY(token, get_nras_token(service, evidence, false));
  TRY(switch_token, get_nras_token(service, evidence, true));
  TRY(jwks, service.get_nras_jwks());
  out.nras_token = std::move(token);
  out.nras_switch_token = std::move(switch_token);
  out.nras_jwks = std::move(jwks);
  out.nras_jwks_live = service.nras_is_nvidias();
  return {};
}

// The certificates of manifests are known only once the manifests are there: this is a round of its own.
void get_revocation(const NvidiaService& service, const std::vector<OcspQuery>& queries, Collected& out) {
  std::vector<Bytes> answers(queries.size());
  Round round;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    round.add([&service, &query = queries[i], &answer = answers[i]]() -> Result<void> {
      TRY(der, service.get_ocsp(query));
      answer = std::move(der);
      return {};
    });
  }
  round.run(out.problems);
  for (std::size_t i = 0; i < queries.size(); ++i) {
    if (answers[i].empty()) continue;
    out.collateral.ocsp_responses.push_back(std::move(answers[i]));
    out.collateral.ocsp_nonces.push_back(queries[i].nonce);
  }
}

}  // namespace

Result<std::unique_ptr<CollateralSource>> CollateralSource::open(SourceOptions options, const Clock& clock) {
  HttpFetcherOptions http;
  http.ca_file = options.ca_file;
  return open(std::move(options), clock, make_http_fetcher(std::move(http)));
}

Result<std::unique_ptr<CollateralSource>> CollateralSource::open(SourceOptions options, const Clock& clock,
                                                                 std::unique_ptr<Fetcher> fetcher) {
  TRY_VOID(normalise(options.endpoints));
  // A service key is never sent unencrypted.
  if (!options.nvidia_service_key.empty()) TRY_VOID(require_tls(options.endpoints.nvidia_rim, "nvidia_rim"));
  std::unique_ptr<CollateralSource> out(new CollateralSource(std::move(options), clock, std::move(fetcher)));
  if (out->options_.cache_folder.empty()) return out;
  if (auto cache = DiskCache::open(out->options_.cache_folder)) {
    out->cache_ = *std::move(cache);
  } else {
    out->cache_problem_ = "no cache: " + cache.error().message;
  }
  return out;
}

Collected CollateralSource::collect(const Evidence& evidence) {
  Collected out;
  if (!cache_problem_.empty()) out.problems.push_back(cache_problem_);
  const Needs needs = needs_of(evidence);
  Downloader downloader(options_.offline ? nullptr : fetcher_.get(), cache_.get(), clock_, options_.download,
                        options_.progress);
  const IntelService intel(downloader, options_.endpoints, options_.tcb_update);
  const NvidiaService nvidia(downloader, options_.endpoints, options_.nvidia_service_key, clock_);
  const AmdService amd(downloader, options_.endpoints);

  Round round;
  IntelPieces pieces(intel, needs.tdx, round);
  std::map<std::string, std::string> rims;
  for (const std::string& id : needs.rim_ids) {
    round.add([&nvidia, &id, &rim = rims[id]]() -> Result<void> {
      TRY(document, nvidia.get_rim(id));
      rim = std::move(document);
      return {};
    });
  }
  std::vector<verify::SnpCollateral> snp(needs.snp.size());
  for (std::size_t i = 0; i < snp.size(); ++i) {
    round.add([&amd, &report = needs.snp[i], &place = snp[i]](std::vector<std::string>& problems) -> Result<void> {
      TRY(collateral, amd.get(report, problems));
      place = std::move(collateral);
      return {};
    });
  }
  if (options_.nras && !evidence.devices.empty()) {
    round.add([&] { return get_nras(nvidia, evidence, out.collateral); });
  }
  round.run(out.problems);
  std::erase_if(rims, [](const auto& rim) { return rim.second.empty(); });
  if (options_.revocation) get_revocation(nvidia, ocsp_queries(evidence, rims), out);

  pieces.put_into(out.collateral);
  out.collateral.rims = std::move(rims);
  std::erase_if(snp, [](const auto& one) { return one.ask_ark.empty(); });
  out.collateral.snp = std::move(snp);
  return out;
}

}  // namespace cloister::collateral
