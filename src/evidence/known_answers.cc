#include "evidence/known_answers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "codec/json.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"

namespace cloister::evidence {
namespace {

constexpr ErrorCode kCode = ErrorCode::kModelFile;
constexpr codec::JsonLimits kLimits = {kMostKnownAnswersBytes, 8, 1u << 15};
constexpr std::size_t kMostCases = 16;
constexpr std::size_t kMostMessages = 16;
constexpr std::size_t kMostContent = 16u << 10;
constexpr std::size_t kMostTokens = 64;
constexpr std::size_t kMostAlternatives = 20;
constexpr std::size_t kMostTokenBytes = 256;
constexpr std::size_t kMostName = 256;
constexpr std::size_t kFewestPositions = 8;
constexpr double kLowest = -1000;
constexpr double kMostTolerance = 0.2;
constexpr std::array<std::string_view, 3> kRoles = {"system", "user", "assistant"};

std::string decimal(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6f", value);
  const std::string out(text.data());
  return out == "-0.000000" ? "0.000000" : out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Each number has one text: at most four digits without a leading zero, a point, six digits.
bool is_decimal(std::string_view text) {
  if (text == "-0.000000") return false;
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos || point == 0 || point > 4 || text.size() != point + 7) return false;
  if (point > 1 && text.front() == '0') return false;
  const std::string_view fraction = text.substr(point + 1);
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(point), is_digit) &&
         std::all_of(fraction.begin(), fraction.end(), is_digit);
}

Result<double> read_decimal(const JsonReader& reader, std::string_view name, double least, double most) {
  TRY(text, reader.text(name));
  if (!is_decimal(text)) return reader.bad(name, "expected a decimal number with six digits behind the point");
  const double value = std::strtod(text.c_str(), nullptr);
  if (value < least || value > most) return reader.bad(name, "expected " + decimal(least) + " to " + decimal(most));
  return value;
}

Result<void> exactly(const JsonReader& reader, const Json& object, std::initializer_list<std::string_view> names) {
  TRY_VOID(reader.only(names));
  for (const std::string_view name : names) {
    if (!object.contains(name)) return reader.bad(name, "it is missing");
  }
  return {};
}

Result<std::string> bounded(const JsonReader& reader, std::string_view name, std::size_t most) {
  TRY(text, reader.text(name));
  if (text.size() > most) return reader.bad(name, "expected at most " + std::to_string(most) + " bytes");
  return text;
}

Result<std::string> printable(const JsonReader& reader, std::string_view name) {
  TRY(text, bounded(reader, name, kMostName));
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (text.empty() || !plain) return reader.bad(name, "expected 1 to 256 characters of printable ASCII");
  return text;
}

Result<const Json*> some(const JsonReader& reader, std::string_view name, std::size_t least, std::size_t most) {
  TRY(list, reader.array(name, most));
  if (list->size() < least) return reader.bad(name, "expected at least " + std::to_string(least));
  return list;
}

std::string place(const std::string& where, const char* list, std::size_t index) {
  return where + list + "[" + std::to_string(index) + "].";
}

Result<ChatMessage> read_message(const Json& object, const std::string& where) {
  const JsonReader reader(object, kCode, where);
  TRY_VOID(reader.is_object());
  TRY_VOID(exactly(reader, object, {"role", "content"}));
  ChatMessage message;
  TRY(role, reader.text("role"));
  if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
    return reader.bad("role", "expected system, user or assistant");
  }
  message.role = std::move(role);
  TRY(content, bounded(reader, "content", kMostContent));
  message.content = std::move(content);
  return message;
}

Result<TokenChance> read_chance(const Json& object, const std::string& where) {
  const JsonReader reader(object, kCode, where);
  TRY_VOID(reader.is_object());
  TRY_VOID(exactly(reader, object, {"text", "logprob"}));
  TokenChance chance;
  TRY(text, bounded(reader, "text", kMostTokenBytes));
  chance.text = std::move(text);
  TRY(logprob, read_decimal(reader, "logprob", kLowest, 0));
  chance.logprob = logprob;
  return chance;
}

Result<std::vector<TokenChance>> read_position(const Json& list, const std::string& where, double tolerance) {
  const auto bad = [&](const char* what) { return fail(kCode, where.substr(0, where.size() - 1) + ": " + what); };
  if (!list.is_array() || list.size() < 2 || list.size() > kMostAlternatives)
    return bad("expected a list of 2 to 20 alternatives");
  std::vector<TokenChance> out;
  for (const Json& element : list) {
    TRY(chance, read_chance(element, where.substr(0, where.size() - 1) + "[" + std::to_string(out.size()) + "]."));
    if (!out.empty() && chance.logprob > out.back().logprob) return bad("the alternatives are not in falling order");
    out.push_back(std::move(chance));
  }
  if (!is_clear_choice(out, tolerance))
    return bad("a near tie: the second alternative is within ten times the tolerance");
  return out;
}

Result<KnownCase> read_case(const Json& object, const std::string& where, double tolerance) {
  const JsonReader reader(object, kCode, where);
  TRY_VOID(reader.is_object());
  TRY_VOID(exactly(reader, object, {"messages", "content", "tokens"}));
  KnownCase out;
  TRY(messages, some(reader, "messages", 1, kMostMessages));
  for (const Json& element : *messages) {
    TRY(message, read_message(element, place(where, "messages", out.messages.size())));
    out.messages.push_back(std::move(message));
  }
  TRY(content, reader.optional_text("content"));
  if (content && content->size() > kMostContent) return reader.bad("content", "it is too long");
  out.content = std::move(content);
  TRY(tokens, some(reader, "tokens", 1, kMostTokens));
  for (const Json& element : *tokens) {
    TRY(position, read_position(element, place(where, "tokens", out.tokens.size()), tolerance));
    out.tokens.push_back(std::move(position));
  }
  return out;
}

Result<void> read_model(const Json& object, KnownAnswers& out) {
  const JsonReader reader(object, kCode, "model.");
  TRY_VOID(exactly(reader, object, {"id", "weights_digest", "chat_template_digest", "engine"}));
  TRY(id, printable(reader, "id"));
  out.model_id = std::move(id);
  TRY(weights, reader.optional_digest("weights_digest"));
  out.weights_digest = weights;
  TRY(chat_template, reader.optional_digest("chat_template_digest"));
  out.chat_template_digest = chat_template;
  TRY(engine, printable(reader, "engine"));
  out.engine = std::move(engine);
  return {};
}

Json digest_or_null(const std::optional<ByteArray<32>>& digest) { return digest ? Json(digest_text(*digest)) : Json(); }

Json case_json(const KnownCase& known) {
  Json messages = Json::array(), tokens = Json::array();
  for (const ChatMessage& message : known.messages)
    messages.push_back({{"role", message.role}, {"content", message.content}});
  for (const std::vector<TokenChance>& position : known.tokens) {
    Json list = Json::array();
    for (const TokenChance& chance : position)
      list.push_back({{"text", chance.text}, {"logprob", logprob_text(chance.logprob)}});
    tokens.push_back(std::move(list));
  }
  return {{"messages", std::move(messages)},
          {"content", known.content ? Json(*known.content) : Json()},
          {"tokens", std::move(tokens)}};
}

}  // namespace

std::size_t KnownAnswers::positions() const {
  std::size_t sum = 0;
  for (const KnownCase& known : cases) sum += known.tokens.size();
  return sum;
}

std::string logprob_text(double logprob) {
  return decimal(std::isnan(logprob) ? kLowest : std::clamp(logprob, kLowest, 0.0));
}

std::string difference_text(double difference) {
  return decimal(std::isnan(difference) ? -kLowest : std::clamp(std::abs(difference), 0.0, -kLowest));
}

bool is_clear_choice(const std::vector<TokenChance>& position, double tolerance) {
  return position.size() >= 2 && position[0].logprob - position[1].logprob > 2 * kTokenTolerances * tolerance;
}

Json to_json(const KnownAnswers& answers) {
  Json cases = Json::array();
  for (const KnownCase& known : answers.cases) cases.push_back(case_json(known));
  return {{"schema", kKnownAnswersSchema},
          {"model",
           {{"id", answers.model_id},
            {"weights_digest", digest_or_null(answers.weights_digest)},
            {"chat_template_digest", digest_or_null(answers.chat_template_digest)},
            {"engine", answers.engine}}},
          {"recorded_at", answers.recorded_at},
          {"tolerance", decimal(answers.tolerance)},
          {"cases", std::move(cases)}};
}

Result<KnownAnswers> parse_known_answers(std::string_view json_text) {
  const Result<Json> object = codec::parse_json(json_text, kLimits);
  if (!object) return fail(kCode, object.error().message);
  const JsonReader reader(*object, kCode);
  TRY_VOID(reader.is_object());
  TRY_VOID(exactly(reader, *object, {"schema", "model", "recorded_at", "tolerance", "cases"}));
  TRY(schema, reader.text("schema"));
  if (schema != kKnownAnswersSchema) return reader.bad("schema", "expected " + std::string(kKnownAnswersSchema));
  KnownAnswers out;
  TRY(model, reader.object("model"));
  TRY_VOID(read_model(*model, out));
  TRY(recorded_at, reader.whole_number("recorded_at"));
  out.recorded_at = recorded_at;
  TRY(tolerance, read_decimal(reader, "tolerance", 0.000001, kMostTolerance));
  out.tolerance = tolerance;
  TRY(cases, some(reader, "cases", 1, kMostCases));
  for (const Json& element : *cases) {
    TRY(known, read_case(element, place("", "cases", out.cases.size()), out.tolerance));
    out.cases.push_back(std::move(known));
  }
  if (out.positions() < kFewestPositions) {
    return reader.bad("cases",
                      "expected at least 8 tokens in all of them together, found " + std::to_string(out.positions()));
  }
  return out;
}

Result<ByteArray<32>> known_answers_digest(const KnownAnswers& answers) { return document_digest(to_json(answers)); }

}  // namespace cloister::evidence
