// The tables of tampered keyset reports and receipts use this. Each must fail exactly the checks that its row names.
#pragma once

#include "tests/simulator/expect_failing.h"
#include "tests/simulator/simulated_service.h"

namespace cloister::testing {

using ServiceJudge = verify::Verdict (ServiceCase::*)() const;

struct ServiceTampering {
  std::string name;
  std::function<void(ServiceCase&)> change;
  Ids failing;
};

inline void expect_service_failing(const ServiceCase& genuine, ServiceJudge judge,
                                   const std::vector<ServiceTampering>& tamperings) {
  const verify::Verdict accepted = (genuine.*judge)();
  ASSERT_EQ(accepted.outcome(), verify::Outcome::kAccepted) << to_text(accepted, false);
  for (const ServiceTampering& tampering : tamperings) {
    ServiceCase changed = genuine;
    tampering.change(changed);
    const verify::Verdict verdict = (changed.*judge)();
    EXPECT_EQ(verdict.outcome(), verify::Outcome::kRejected) << tampering.name;
    EXPECT_EQ(ids_in(verdict, verify::State::kFail), tampering.failing) << tampering.name << "\n"
                                                                        << to_text(verdict, false);
  }
}

}  // namespace cloister::testing
