// The CPU side of a node, made from its options.
#pragma once

#include <memory>
#include <string>

#include "base/secret.h"
#include "config/serve_options.h"
#include "tee/tee.h"

namespace cloister::apps {

// What happens when the seed of a simulated TEE does not exist: a node makes one; a command that reads what a node stored does not.
enum class MissingSeed { kMake, kRefuse };

struct ChosenTee {
  std::unique_ptr<tee::Tee> tee;  // null: there is none, or none was asked for
  std::string why_none;           // for people, where `auto` found none
};

// Logs what `auto` chose and why.
Result<ChosenTee> make_tee(const config::ServeOptions& options, MissingSeed seed);

// The seed that every simulated part of this node is made from. The state folder keeps it.
Result<SecretBytes> simulator_seed(const config::ServeOptions& options, MissingSeed missing);

}  // namespace cloister::apps
