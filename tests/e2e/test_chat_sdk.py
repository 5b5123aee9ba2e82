"""The official Python SDK asks the real model for chat completions."""

import asyncio
import json
import re

import openai
import pytest

from support.fixtures import client_of

QUESTION = [{"role": "user", "content": "What is the capital of France? Answer in one short sentence."}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
            "required": ["city", "unit"],
        },
    },
}
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer", "minimum": 0, "maximum": 150}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def model(llama):
    return llama.model()


def ask(client, model, **options):
    options = {"messages": QUESTION, "max_tokens": 48, "temperature": 0, **options}
    return client.chat.completions.create(model=model, **options)


def text_of(stream):
    chunks = list(stream)
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices), chunks


def test_buffered(llama_client, model):
    reply = ask(llama_client, model)
    assert reply.object == "chat.completion" and reply.id.startswith("chatcmpl-")
    assert reply.model == model
    (choice,) = reply.choices
    assert choice.message.role == "assistant" and "Paris" in choice.message.content
    assert choice.finish_reason == "stop"
    usage = reply.usage
    assert usage.prompt_tokens > 10 and usage.completion_tokens > 3
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_streamed_equals_buffered(llama_client, model):
    buffered = ask(llama_client, model).choices[0].message.content
    streamed, chunks = text_of(ask(llama_client, model, stream=True))
    assert streamed == buffered
    assert len(chunks) > 3, "a stream of one piece is no stream"
    assert len({chunk.id for chunk in chunks}) == 1
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert chunks[0].choices[0].delta.role == "assistant"
    finishes = [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]
    assert finishes == ["stop"]
    assert all(chunk.usage is None for chunk in chunks), "usage was not asked for"


def test_include_usage(llama_client, model):
    _, chunks = text_of(ask(llama_client, model, stream=True, stream_options={"include_usage": True}))
    last = chunks[-1]
    assert last.choices == [] and last.usage.completion_tokens > 3
    assert last.usage.total_tokens == last.usage.prompt_tokens + last.usage.completion_tokens


def test_many_choices(llama_client, model):
    reply = ask(llama_client, model, n=3, temperature=1.2, seed=5, max_tokens=24)
    assert sorted(choice.index for choice in reply.choices) == [0, 1, 2]
    assert len({choice.message.content for choice in reply.choices}) > 1, "three samples at 1.2 are hardly the same"


def test_many_choices_streamed(llama_client, model):
    pieces = {}
    for chunk in ask(llama_client, model, n=2, stream=True, max_tokens=16):
        for choice in chunk.choices:
            pieces.setdefault(choice.index, []).append(choice.delta.content or "")
    assert sorted(pieces) == [0, 1]
    assert "".join(pieces[0]) == "".join(pieces[1]) != "", "temperature 0"


def test_stop_word(llama_client, model):
    whole = ask(llama_client, model).choices[0].message.content
    assert " of " in whole, whole
    reply = ask(llama_client, model, stop=[" of "])
    assert reply.choices[0].message.content == whole.split(" of ")[0]
    assert reply.choices[0].finish_reason == "stop"


def test_max_tokens(llama_client, model):
    for name in ("max_tokens", "max_completion_tokens"):
        options = {"max_tokens": openai.omit, name: 5}
        reply = ask(llama_client, model, messages=[{"role": "user", "content": "Count to one hundred."}], **options)
        assert reply.choices[0].finish_reason == "length", name
        assert reply.usage.completion_tokens == 5, name


def test_seed_is_deterministic(llama_client, model):
    def story(seed):
        reply = ask(llama_client, model, messages=[{"role": "user", "content": "Write a story."}], temperature=1.0, seed=seed)
        return reply.choices[0].message.content

    assert story(7) == story(7)
    assert story(7) != story(8)


def test_temperature_zero_is_deterministic(llama_client, model):
    assert len({ask(llama_client, model).choices[0].message.content for _ in range(3)}) == 1


def test_sampling_options(llama_client, model):
    extra = {"top_k": 20, "min_p": 0.05, "repeat_penalty": 1.1}
    reply = ask(
        llama_client, model, temperature=0.8, top_p=0.9, presence_penalty=0.5, frequency_penalty=0.5, seed=1, extra_body=extra, user="a"
    )
    assert reply.choices[0].message.content


def test_logit_bias(llama, llama_client, model):
    token = json.loads(llama.post("/v1/tokenize", {"model": model, "content": " Paris", "prompt": " Paris"})[2])["tokens"]
    assert len(token) == 1, token
    reply = ask(llama_client, model, logit_bias={str(token[0]): -100})
    assert " Paris" not in reply.choices[0].message.content


def test_logprobs(llama_client, model):
    reply = ask(llama_client, model, logprobs=True, top_logprobs=3, max_tokens=6)
    content = reply.choices[0].logprobs.content
    assert len(content) == reply.usage.completion_tokens
    for token in content:
        assert token.logprob <= 0 and len(token.top_logprobs) == 3
        assert bytes(token.bytes).decode("utf-8", "replace") == token.token or token.token == ""
        assert token.top_logprobs[0].logprob >= token.top_logprobs[2].logprob
    assert "".join(token.token for token in content).strip() != ""


def test_logprobs_streamed(llama_client, model):
    tokens = []
    for chunk in ask(llama_client, model, logprobs=True, top_logprobs=2, max_tokens=6, stream=True):
        for choice in chunk.choices:
            tokens += choice.logprobs.content if choice.logprobs and choice.logprobs.content else []
    assert 4 <= len(tokens) <= 6 and all(len(token.top_logprobs) == 2 for token in tokens)


def test_content_parts_and_roles(llama_client, model):
    parts = [{"type": "text", "text": "What is the capital"}, {"type": "text", "text": " of Italy?"}]
    messages = [
        {"role": "system", "content": ""},
        {"role": "user", "content": "What is the capital of France?"},
        {"role": "assistant", "content": "The capital of France is Paris."},
        {"role": "user", "content": parts},
    ]
    assert "Rome" in ask(llama_client, model, messages=messages).choices[0].message.content


def test_required_tool_call(llama_client, model):
    messages = [{"role": "user", "content": "What is the weather in Berlin in celsius?"}]
    reply = ask(llama_client, model, messages=messages, tools=[WEATHER], tool_choice="required", max_tokens=200)
    (choice,) = reply.choices
    assert choice.finish_reason == "tool_calls"
    call = choice.message.tool_calls[0]
    assert call.type == "function" and call.id and call.function.name == "get_weather"
    arguments = json.loads(call.function.arguments)
    assert set(arguments) == {"city", "unit"} and arguments["unit"] in ("celsius", "fahrenheit")


def test_tool_call_streamed(llama_client, model):
    messages = [{"role": "user", "content": "What is the weather in Berlin in celsius?"}]
    name, arguments, finish = "", "", None
    for chunk in ask(llama_client, model, messages=messages, tools=[WEATHER], tool_choice="required", max_tokens=200, stream=True):
        for choice in chunk.choices:
            finish = choice.finish_reason or finish
            for call in choice.delta.tool_calls or []:
                assert call.index == 0
                name += call.function.name or ""
                arguments += call.function.arguments or ""
    assert finish == "tool_calls" and name == "get_weather"
    assert set(json.loads(arguments)) == {"city", "unit"}


def test_tool_round_trip(llama_client, model):
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Berlin","unit":"celsius"}'}}
    messages = [
        {"role": "user", "content": "What is the weather in Berlin?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": '{"temperature":21,"sky":"clear"}'},
    ]
    reply = ask(llama_client, model, messages=messages, tools=[WEATHER], tool_choice="none")
    assert reply.choices[0].message.content and not reply.choices[0].message.tool_calls


def test_parallel_tool_calls_are_parsed(llama_client, model):
    messages = [{"role": "user", "content": "Weather in Berlin and in Paris, in celsius?"}]
    reply = ask(
        llama_client, model, messages=messages, tools=[WEATHER], tool_choice="required", parallel_tool_calls=True, max_tokens=300
    )
    calls = reply.choices[0].message.tool_calls
    assert calls and len({call.id for call in calls}) == len(calls)
    for call in calls:
        assert call.function.name == "get_weather" and "city" in json.loads(call.function.arguments)


def test_json_object(llama_client, model):
    messages = [{"role": "user", "content": "Give me a person as JSON with name and age."}]
    reply = ask(llama_client, model, messages=messages, response_format={"type": "json_object"}, max_tokens=300)
    assert reply.choices[0].finish_reason == "stop"
    assert isinstance(json.loads(reply.choices[0].message.content), dict)


@pytest.mark.parametrize("temperature", [0, 1.5])
def test_json_schema(llama_client, model, temperature):
    schema = {"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": PERSON}}
    messages = [{"role": "user", "content": "Invent a person."}]
    reply = ask(llama_client, model, messages=messages, response_format=schema, temperature=temperature, seed=3, max_tokens=200)
    person = json.loads(reply.choices[0].message.content)
    assert set(person) == {"name", "age"} and isinstance(person["age"], int) and 0 <= person["age"] <= 150


def test_sdk_parses_into_a_model(llama_client, model):
    import pydantic

    class Person(pydantic.BaseModel):
        name: str
        age: int

    reply = llama_client.chat.completions.parse(
        model=model, messages=[{"role": "user", "content": "Invent a person."}], response_format=Person, max_tokens=300, temperature=0
    )
    assert isinstance(reply.choices[0].message.parsed, Person)


def test_async_client_runs_many_at_once(llama, model):
    async def main():
        async with openai.AsyncOpenAI(base_url=llama.url + "/v1", api_key="unused", max_retries=0, timeout=120) as client:

            async def one(seed):
                stream = await ask(client, model, stream=True, temperature=0.9, seed=seed, max_tokens=24)
                return "".join([choice.delta.content or "" async for chunk in stream for choice in chunk.choices])

            return await asyncio.gather(*(one(seed) for seed in range(12)))

    texts = asyncio.run(main())
    assert len(texts) == 12 and all(texts)


def test_answers_in_parallel_are_those_of_one_at_a_time(llama, model):
    """Continuous batching must not mix sequences up."""
    questions = ["What is the capital of France?", "What is the capital of Italy?", "What is the capital of Japan?", "What is the capital of Spain?"]
    expected = ["Paris", "Rome", "Tokyo", "Madrid"]

    async def main():
        async with openai.AsyncOpenAI(base_url=llama.url + "/v1", api_key="unused", max_retries=0, timeout=120) as client:
            # This small model answers best without a system message.
            conversations = [[{"role": "system", "content": ""}, {"role": "user", "content": question}] for question in questions * 2]
            asked = [ask(client, model, messages=conversation) for conversation in conversations]
            return [reply.choices[0].message.content for reply in await asyncio.gather(*asked)]

    for text, word in zip(asyncio.run(main()), expected * 2):
        assert word in text, (word, text)


def test_unknown_model(llama_client):
    with pytest.raises(openai.NotFoundError) as raised:
        ask(llama_client, "gpt-4o")
    assert raised.value.param == "model"


def test_prompt_too_long_says_how_long_and_the_limit(llama_client, model):
    with pytest.raises(openai.BadRequestError) as raised:
        ask(llama_client, model, messages=[{"role": "user", "content": "word " * 6000}])
    message = raised.value.body["message"]
    assert raised.value.code == "context_length_exceeded"
    assert "2048" in message, message
    assert any(int(number) > 6000 for number in re.findall(r"\d+", message)), message


def test_wrong_token(locked):
    with client_of(locked, api_key="wrong-token-wrong-token") as client:
        with pytest.raises(openai.AuthenticationError):
            ask(client, "echo")
