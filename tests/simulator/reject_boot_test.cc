// The statements of a report about the boot are changed on their way. The simulated TEE's log is verified like any
// other.
#include <gtest/gtest.h>

#include "codec/json.h"
#include "tests/simulator/expect_failing.h"
#include "tests/simulator/forgery.h"

namespace cloister::testing {
namespace {

Tampering log_edit(const char* name, std::function<void(Json&)> edit, Ids failing) {
  return {name,
          [edit = std::move(edit)](Case& c) {
            Json log = c.report["event_log"];
            edit(log);
            set_member(c.report, "event_log", log);
          },
          std::move(failing)};
}

// The indices in the simulator's log are: 0 to 2 RTMR0, 3 and 4 RTMR1, 5 and 6 RTMR2, then the runtime events.
constexpr std::size_t kAppId = 8, kComposeHash = 9;

TEST(RejectBoot, EventLog) {
  expect_failing({
      log_edit("dropped from RTMR0", [](Json& log) { log.erase(0); }, {"boot.rtmr0"}),
      log_edit("swapped in RTMR1", [](Json& log) { std::swap(log[3], log[4]); }, {"boot.rtmr1"}),
      log_edit("doubled in RTMR2", [](Json& log) { log.push_back(log[5]); }, {"boot.rtmr2"}),
      log_edit("another payload", [](Json& log) { log[kComposeHash]["event_payload"] = std::string(64, 'a'); },
               {"boot.event.digests", "boot.rtmr3"}),
      log_edit("another digest", [](Json& log) { log[kComposeHash]["digest"] = std::string(96, 'a'); },
               {"boot.event.digests"}),
      log_edit("another name", [](Json& log) { log[kAppId]["event"] = "app:id"; },
               {"boot.event.digests", "boot.event.names", "boot.rtmr3"}),
      log_edit("a second compose hash", [](Json& log) { log.push_back(log[kComposeHash]); },
               {"boot.events.order", "boot.events.unique", "boot.rtmr3"}),
      log_edit("a relabelled entry of RTMR3",
               [](Json& log) {
                 log[kComposeHash]["event_type"] = 4;
                 log[kComposeHash]["event"] = log[kComposeHash]["event_payload"] = "";
               },
               {"boot.event_log.form"}),
      log_edit("register 4", [](Json& log) { log[0]["imr"] = 4; }, {"boot.event_log.form"}),
      log_edit("empty", [](Json& log) { log = Json::array(); },
               {"boot.rtmr0", "boot.rtmr1", "boot.rtmr2", "boot.rtmr3"}),
  });
}

Tampering info_edit(const char* name, std::function<void(Json&)> edit, Ids failing) {
  return {name,
          [edit = std::move(edit)](Case& c) {
            Json info = c.report["info"];
            edit(info);
            set_member(c.report, "info", info);
          },
          std::move(failing)};
}

TEST(RejectBoot, Info) {
  const std::string other(96, '1');
  expect_failing({
      info_edit("another compose text", [](Json& info) { info["tcb_info"]["app_compose"] = "{}"; },
                {"boot.compose_hash"}),
      info_edit("another register", [=](Json& info) { info["tcb_info"]["rtmr1"] = other; }, {"boot.tcb_info"}),
      info_edit("another app id", [](Json& info) { info["app_id"] = std::string(40, '1'); }, {"boot.tcb_info"}),
      info_edit("another key provider", [](Json& info) { info["key_provider_info"] = "{}"; }, {"boot.tcb_info"}),
      info_edit("tcb_info of another type", [](Json& info) { info["tcb_info"] = 1; }, {"report.form"}),
  });
}

TEST(RejectBoot, InfoAsTextIsTheSame) {
  Case genuine = genuine_case();
  Json info = genuine.report["info"];
  info["tcb_info"] = codec::write_json(info["tcb_info"]);
  set_member(genuine.report, "info", codec::write_json(info));
  const verify::Verdict verdict = genuine.judge();
  EXPECT_EQ(verdict.outcome(), verify::Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("boot.compose_hash")->state, verify::State::kPass);
  EXPECT_EQ(verdict.find("boot.rtmr0")->state, verify::State::kPass);
  EXPECT_EQ(verdict.find("tdx.measurements")->state, verify::State::kNotApplicable);
}

}  // namespace
}  // namespace cloister::testing
