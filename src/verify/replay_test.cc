#include "verify/replay.h"

#include <gtest/gtest.h>

#include <functional>

#include "verify/testing/verdict_ids.h"

namespace cloister::verify {
namespace {

using cloister::testing::Ids;
using cloister::testing::ids_in;
using std::chrono::milliseconds;

evidence::ModelIdentity embedded() {
  evidence::ModelIdentity model;
  model.id = "demo";
  model.engine = {"llama.cpp", "0.1.0", "de3ff815", "cpu", "x86-64-v3"};
  evidence::WeightFile file{"demo.gguf", 7, {}};
  file.digest.fill(2);
  model.weights = evidence::Weights{evidence::weights_digest({file}), {file}, true};
  model.settings = {{"threads", 2}, {"batch_threads", 2}, {"parallel", 4}};
  return model;
}

Check replay_model(const evidence::ModelIdentity& archived, const evidence::ModelIdentity& here,
                   bool threads_chosen = false) {
  Verdict verdict;
  const bool same = check_replay_model(archived, here, threads_chosen, verdict);
  EXPECT_EQ(verdict.checks.size(), 1u);
  EXPECT_EQ(verdict.checks.front().id, "replay.model");
  EXPECT_EQ(same, verdict.checks.front().state == State::kPass);
  return verdict.checks.front();
}

TEST(ReplayRequest, ThatIsNotThereIsNotAskedAgain) {
  Verdict verdict;
  check_replay_request("the archive holds no bodies", verdict);
  EXPECT_EQ(ids_in(verdict, State::kSkipped), Ids{"replay.request"});
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  Verdict there;
  check_replay_request(std::nullopt, there);
  EXPECT_EQ(ids_in(there, State::kPass), Ids{"replay.request"});
}

TEST(ReplayModel, IsTheArchivedOne) {
  EXPECT_EQ(replay_model(embedded(), embedded()).state, State::kPass);
  evidence::ModelIdentity paged = embedded();
  paged.weights->locked = false;
  EXPECT_EQ(replay_model(embedded(), paged).state, State::kPass) << "whether pages are locked is no matter here";
}

TEST(ReplayModel, AnotherOneIsNotAsked) {
  const std::vector<std::function<void(evidence::ModelIdentity&)>> changes = {
      [](auto& m) {
        m.weights->files[0].digest.fill(3), m.weights->digest = evidence::weights_digest(m.weights->files);
      },
      [](auto& m) { m.weights.reset(); },
      [](auto& m) { m.chat_template_digest.emplace().fill(1); },
      [](auto& m) { m.engine.commit = "00000000"; },
      [](auto& m) { m.settings["parallel"] = 5; },
      [](auto& m) { m.settings["threads"] = 3; },
  };
  for (const auto& change : changes) {
    evidence::ModelIdentity here = embedded();
    change(here);
    const Check check = replay_model(embedded(), here);
    EXPECT_EQ(check.state, State::kSkipped) << "no fault of the archive's";
    EXPECT_TRUE(check.required);
    EXPECT_NE(check.detail.find("the model here is another: model."), std::string::npos) << check.detail;
  }
}

TEST(ReplayModel, ThreadsThatWereChosenAreSaid) {
  evidence::ModelIdentity here = embedded();
  here.settings["threads"] = here.settings["batch_threads"] = 1;
  const Check check = replay_model(embedded(), here, true);
  EXPECT_EQ(check.state, State::kPass);
  EXPECT_NE(check.detail.find("1 threads instead of 2"), std::string::npos);
}

TEST(ReplayModel, OfAnotherServerCannotBeAsked) {
  for (const char* setting : {"threads", "batch_threads"}) {
    evidence::ModelIdentity archived = embedded();
    archived.settings.erase(setting);
    EXPECT_FALSE(is_replayable(archived));
    EXPECT_EQ(replay_model(archived, archived).state, State::kSkipped);
  }
  evidence::ModelIdentity archived = embedded();
  archived.weights.reset();
  EXPECT_FALSE(is_replayable(archived));
  EXPECT_EQ(replay_model(archived, archived).state, State::kSkipped);
}

ReplayedReply reply() {
  return {
      .said = "blue, white", .tokens = {11, 12, 13}, .finishes = {"stop"}, .prompt_tokens = 20, .completion_tokens = 3};
}

Verdict judge(const ReplayedReply& archived, const ReplayedReply& now) {
  Verdict verdict;
  check_replayed(archived, now, milliseconds(5), verdict);
  return verdict;
}

TEST(Replayed, TheSameIsReproduced) {
  const Verdict verdict = judge(reply(), reply());
  EXPECT_EQ(ids_in(verdict, State::kPass), (Ids{"replay.text", "replay.finish", "replay.tokens"}));
  EXPECT_EQ(verdict.facts["replay"],
            (Json{{"reproduced", true}, {"tokens", 3}, {"differs_at_token", nullptr}, {"milliseconds", 5}}));
}

TEST(Replayed, EveryDifferenceFailsItsOwnCheck) {
  const std::vector<std::pair<Ids, std::function<void(ReplayedReply&)>>> changes = {
      {{"replay.text"},
       [](auto& r) {
         r.said = "blue, black", r.tokens = {11, 12, 14};
       }},
      {{"replay.text"},
       [](auto& r) {
         r.said += " and red", r.tokens = {11, 12, 13, 14};
       }},
      {{"replay.text"}, [](auto& r) { r.said = "", r.tokens = {}; }},
      {{"replay.finish"}, [](auto& r) { r.finishes = {"length"}; }},
      {{"replay.finish"}, [](auto& r) { r.finishes = {""}; }},
      // Split into other choices: the text is the same, but the reply is not.
      {{"replay.text", "replay.finish"},
       [](auto& r) {
         r.finishes = {"stop", "stop"};
       }},
      {{"replay.tokens"}, [](auto& r) { r.completion_tokens = 4; }},
      {{"replay.tokens"}, [](auto& r) { r.prompt_tokens = 19; }},
      {{"replay.tokens"}, [](auto& r) { r.prompt_tokens.reset(); }},
  };
  for (const auto& [failing, change] : changes) {
    ReplayedReply archived = reply();
    change(archived);
    EXPECT_EQ(ids_in(judge(archived, reply()), State::kFail), failing) << archived.said;
    EXPECT_EQ(ids_in(judge(reply(), archived), State::kFail), failing) << archived.said;
    EXPECT_EQ(judge(archived, reply()).outcome(), Outcome::kRejected);
  }
}

TEST(Replayed, TheFirstTokenThatDiffersIsNamed) {
  ReplayedReply now = reply();
  now.said = "blue, black";
  now.tokens = {11, 12, 14};
  const Verdict verdict = judge(reply(), now);
  EXPECT_EQ(verdict.facts["replay"]["reproduced"], false);
  EXPECT_EQ(verdict.facts["replay"]["differs_at_token"], 2);
  EXPECT_NE(verdict.find("replay.text")->detail.find("token 2 of 3"), std::string::npos);
}

TEST(Replayed, CountsThatAReplyDoesNotTellAreNotCompared) {
  ReplayedReply silent = reply();
  silent.completion_tokens.reset();
  const Verdict verdict = judge(silent, reply());
  EXPECT_EQ(ids_in(verdict, State::kSkipped), Ids{"replay.tokens"});
  EXPECT_FALSE(verdict.find("replay.tokens")->required);
}

TEST(Replayed, ARejectedArchiveIsNotComputed) {
  Verdict verdict;
  skip_replay(verdict);
  EXPECT_EQ(ids_in(verdict, State::kSkipped), Ids{"replay.text"});
}

}  // namespace
}  // namespace cloister::verify
