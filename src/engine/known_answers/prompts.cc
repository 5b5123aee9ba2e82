#include "engine/known_answers/prompts.h"

#include <string>

namespace cloister::engine {
namespace {

constexpr const char* kStory =
    "The lighthouse stands on the northern cliff. It was built of grey stone by the people of the village, who carried every block up "
    "the path by hand. The keeper climbs two hundred and twelve steps each evening to light the lamp, and in the morning he climbs them "
    "again to put it out. In winter the wind is so strong that the windows shake, and the keeper ties the door with a rope. In summer "
    "children come to see the lamp, and the keeper shows them how the lenses turn. ";

constexpr const char* kLedger =
    "Monday: seven apples, three pears, no plums. Tuesday: two apples, nine pears, four plums. Wednesday: five apples, five pears, one "
    "plum. Thursday: no apples, six pears, eight plums. Friday: eleven apples, one pear, two plums. Saturday: four apples, four pears, "
    "four plums. Sunday: the shop is closed, and nothing is sold. ";

CandidatePrompt ask(std::string text) { return {{{"user", std::move(text)}}, false}; }
CandidatePrompt ask_long(std::string text) { return {{{"user", std::move(text)}}, true}; }

}  // namespace

std::vector<CandidatePrompt> candidate_prompts() {
  return {
      ask("Count from one to twenty in words, separated by commas."),
      ask("Repeat this sentence exactly: The quick brown fox jumps over the lazy dog."),
      ask("What is the capital of France? Answer in one sentence."),
      ask("List the seven days of the week in order, beginning with Monday, separated by commas."),
      ask("Write the numbers from 1 to 20, separated by commas."),
      ask("Write the letters of the alphabet from A to M, separated by spaces."),
      ask("Translate into French: Good morning."),
      ask("Write a Python function named add that returns the sum of two numbers a and b."),
      ask("Name the twelve months of the year in order."),
      {{{"system", "You repeat what you are told, word for word."},
        {"user", "one two three four five six seven eight nine ten"}},
       false},
      {{{"user", "My name is Ada Lovelace."},
        {"assistant", "Nice to meet you, Ada Lovelace."},
        {"user", "What is my full name?"}},
       false},
      {{{"system", "Answer with one number and nothing else."}, {"user", "What is 2 plus 2?"}}, false},
      ask_long(std::string(kStory) + "\n\nRepeat the first sentence of this text, word for word."),
      ask_long(std::string(kStory) + "\n\nHow many steps does the keeper climb each evening? Answer in one sentence."),
      ask_long(std::string(kLedger) + "\n\nRepeat the line of Tuesday, word for word."),
      ask_long(std::string(kLedger) + "\n\nContinue the list with the next day."),
  };
}

}  // namespace cloister::engine
