// The simulated TEE: quotes that have the true structure of TDX v4 and are signed through a PCK chain and a QE report,
// under a root of our own whose private key is public. It proves nothing about any machine and says so everywhere:
// type() is "insecure_simulator" and every certificate name starts with "INSECURE SIMULATOR". The same seed always
// gives the same keys, certificates, measurements and, for the same report data, the same quote, since the signatures
// are deterministic.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "tee/tee.h"

namespace cloister::tee {

struct SimulatorOptions {
  // 32 bytes that stand for the machine: platform keys, measurements and derived keys all come from it.
  SecretBytes seed;
  std::string app_name = "cloister";
  // MRCONFIGID, which the host of a real machine chooses. Without one it names the application (form 1).
  std::optional<ByteArray<48>> mr_config_id = std::nullopt;
};

// The simulated machine, with what code in a real one can do as well: code that has the TDX device extends a register
// by any digest, and whoever writes the log can write anything into it. For attacks in tests. Any thread.
class SimulatedMachine : public Tee {
 public:
  // Extends the register of the event by its digest and logs the event unchanged, whatever its type and name. Fails
  // when the log is full; then nothing has changed.
  virtual Result<void> measure(evidence::Event event) = 0;
};

// The seed of this installation: 64 hex digits in `path`, a file made with mode 0600 when it does not exist. Processes
// that start at once all get the same seed. A corrupt file is an error and stays unchanged.
Result<SecretBytes> load_or_create_simulator_seed(const std::filesystem::path& path);
// Loads the seed where the file exists; creates nothing.
Result<SecretBytes> load_simulator_seed(const std::filesystem::path& path);

Result<std::unique_ptr<Tee>> make_insecure_simulator(SimulatorOptions options);
Result<std::unique_ptr<SimulatedMachine>> make_simulated_machine(SimulatorOptions options);

}  // namespace cloister::tee
