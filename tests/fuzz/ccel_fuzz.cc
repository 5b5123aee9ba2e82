// CCEL logs. An accepted log is written and accepted again with the same events.
#include "codec/ccel.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto events = codec::parse_ccel(input);
  if (!events) return;
  for (const codec::CcelEvent& event : *events) {
    FUZZ_CHECK(event.rtmr >= 0 && event.rtmr <= 3);
    FUZZ_CHECK(event.event_type != codec::kEvNoAction);
    FUZZ_CHECK(event.data.size() <= input.size());
  }
  const auto again = codec::parse_ccel(codec::write_ccel(*events));
  FUZZ_CHECK(again.has_value() && again->size() == events->size());
  for (std::size_t i = 0; i < events->size(); ++i) {
    FUZZ_CHECK((*again)[i].rtmr == (*events)[i].rtmr && (*again)[i].sha384 == (*events)[i].sha384);
    FUZZ_CHECK((*again)[i].event_type == (*events)[i].event_type && (*again)[i].data == (*events)[i].data);
  }
}
