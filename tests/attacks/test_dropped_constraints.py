"""A constraint of a schema that is dropped. Schemas with keywords that the engine does not enforce once got a signed 200 with a text that
breaks them. Each keyword is now enforced, or refused with its name and path, in chat, Responses and Messages and for the arguments of
functions."""

import datetime
import ipaddress
import json
import re
import uuid

import pytest

DROPPED = {
    "pattern": {"type": "string", "pattern": "^(?=.*x)y+$"},
    "minimum": {"type": "number", "minimum": 0, "maximum": 1},
    "exclusiveMaximum": {"type": "number", "exclusiveMaximum": 1},
    "multipleOf": {"type": "integer", "multipleOf": 7},
    "not": {"type": "string", "not": {"enum": ["a"]}},
    "uniqueItems": {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
    "contains": {"type": "array", "items": {"type": "integer"}, "contains": {"const": 1}},
    "format": {"type": "string", "format": "uri"},
    "dependentRequired": {"type": "object", "properties": {"a": {"type": "string"}}, "dependentRequired": {"a": ["b"]}},
    "patternProperties": {"type": "object", "patternProperties": {"^a": {"type": "string"}}},
    "propertyNames": {"type": "object", "propertyNames": {"maxLength": 1}},
    "minProperties": {"type": "object", "minProperties": 2},
    "if": {"type": "object", "properties": {"a": {"type": "string"}}, "if": {}, "then": {"required": ["a"]}},
    "allOf": {"allOf": [{"type": "string", "maxLength": 1}, {"type": "string", "minLength": 1}]},
    "oneOf": {"oneOf": [{"type": "integer"}, {"type": "number"}]},
    "required": {"type": "object", "properties": {}, "required": ["a"]},
    "additionalProperties": {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}},
    "minLength": {"type": "string", "pattern": "^a+$", "minLength": 3},
    "maxLength": {"type": "string", "maxLength": 100000},
    "const": {"type": "string", "const": 5},
    "unheardOf": {"type": "string", "unheardOf": 1},
}


def around(schema):
    return {"type": "object", "properties": {"x": schema}, "required": ["x"], "additionalProperties": False}


def chat(schema, **more):
    return "/v1/chat/completions", {"messages": [{"role": "user", "content": "Give me an x."}], "max_tokens": 60,
                                    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": schema}}, **more}


def chat_tool(schema, **more):
    function = {"name": "f", "description": "d", "strict": True, "parameters": schema}
    return "/v1/chat/completions", {"messages": [{"role": "user", "content": "Call f."}], "max_tokens": 80,
                                    "tools": [{"type": "function", "function": function}], "tool_choice": "required", **more}


def responses(schema, **more):
    return "/v1/responses", {"input": "Give me an x.", "max_output_tokens": 60,
                             "text": {"format": {"type": "json_schema", "name": "n", "strict": True, "schema": schema}}, **more}


def responses_tool(schema, **more):
    tool = {"type": "function", "name": "f", "description": "d", "strict": True, "parameters": schema}
    return "/v1/responses", {"input": "Call f.", "max_output_tokens": 80, "tools": [tool], "tool_choice": "required", **more}


def messages(schema, **more):
    return "/v1/messages", {"messages": [{"role": "user", "content": "Give me an x."}], "max_tokens": 60,
                            "output_config": {"format": {"type": "json_schema", "schema": schema}}, **more}


def messages_tool(schema, **more):
    return "/v1/messages", {"messages": [{"role": "user", "content": "Call f."}], "max_tokens": 80,
                            "tools": [{"name": "f", "description": "d", "strict": True, "input_schema": schema}], "tool_choice": {"type": "any"}, **more}


PLACES = [chat, chat_tool, responses, responses_tool, messages, messages_tool]


@pytest.mark.parametrize("place", PLACES)
def test_a_word_that_is_not_followed_is_refused_by_name(llama, place):
    for keyword, schema in DROPPED.items():
        path, body = place(around(schema))
        status, _, reply = llama.post(path, body)
        text = reply.decode()
        assert status == 400, (keyword, text)
        assert f"'{keyword}'" in text and "/properties/x" in text, (keyword, text)


@pytest.mark.parametrize("choices", [
    [{"const": 2}, {"const": 2.0}], [{"type": "integer", "minimum": 1, "maximum": 1}, {"const": 1.0}], [{"type": "integer"}, {"enum": [7.0]}],
    [{"const": [1]}, {"enum": [[1.0]]}]])
def test_numbers_are_the_same_where_json_schema_says_so(llama, choices):
    """A reply of 2.0 is not valid where both alternatives of a oneOf admit 2.0."""
    path, body = chat(around({"oneOf": choices}))
    status, _, reply = llama.post(path, body)
    assert status == 400 and b"'oneOf'" in reply, reply


def value_of(place, reply):
    """Returns the x of a reply, or None when the reply was cut at its limit."""
    reply = json.loads(reply)
    if place in (chat, chat_tool):
        choice = reply["choices"][0]
        if choice["finish_reason"] == "length":
            return None
        text = choice["message"]["content"] if place is chat else choice["message"]["tool_calls"][0]["function"]["arguments"]
    elif place in (responses, responses_tool):
        if reply["status"] == "incomplete":
            return None
        item = reply["output"][-1]
        text = item["content"][0]["text"] if place is responses else item["arguments"]
    else:
        if reply["stop_reason"] == "max_tokens":
            return None
        part = reply["content"][-1]
        return part["input"]["x"] if part["type"] == "tool_use" else json.loads(part["text"])["x"]
    return json.loads(text)["x"]


FOLLOWED = [
    ({"type": "string", "pattern": "^\\d{5}$"}, lambda x: re.fullmatch("[0-9]{5}", x)),
    ({"type": "string", "pattern": "^[A-Z][a-z]{2,9}-\\w{3}$"}, lambda x: re.fullmatch(r"[A-Z][a-z]{2,9}-\w{3}", x, re.ASCII)),
    ({"type": "string", "pattern": "^(?:ab|cd){2}[^a-z]?$"}, lambda x: re.fullmatch("(?:ab|cd){2}[^a-z]?", x)),
    ({"type": "integer", "minimum": 105}, lambda x: isinstance(x, int) and x >= 105),
    ({"type": "integer", "maximum": -5}, lambda x: isinstance(x, int) and x <= -5),
    ({"type": "integer", "exclusiveMinimum": 17, "maximum": 230}, lambda x: 17 < x <= 230),
    ({"type": "string", "minLength": 3, "maxLength": 5}, lambda x: 3 <= len(x) <= 5),
    ({"type": "string", "enum": ["red", "green"]}, lambda x: x in ("red", "green")),
    ({"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 9}, "minItems": 2, "maxItems": 3},
     lambda x: 2 <= len(x) <= 3 and all(1 <= n <= 9 for n in x)),
    ({"type": "string", "format": "date"}, datetime.date.fromisoformat),
    ({"type": "string", "format": "date-time"}, lambda x: datetime.datetime.fromisoformat(x.replace("Z", "+00:00")) if "." not in x else True),
    ({"type": "string", "format": "uuid"}, uuid.UUID),
    ({"type": "string", "format": "ipv4"}, ipaddress.IPv4Address),
    ({"type": "string", "format": "email"}, lambda x: re.fullmatch(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", x, re.ASCII)),
    ({"$ref": "#/$defs/n"}, lambda x: x is True),
]


@pytest.mark.parametrize("place", PLACES)
def test_a_word_that_is_taken_is_followed(llama, place):
    """At a high temperature a small model breaks every constraint that is not enforced."""
    # The places share the code that enforces a schema. One place gets all keywords, each other place gets some.
    followed = FOLLOWED if place is chat else FOLLOWED[:: 3]
    names = [f"p{i}" for i in range(len(followed))]
    properties = {name: schema for name, (schema, _) in zip(names, followed)}
    inner = {"type": "object", "properties": properties, "required": names, "additionalProperties": False}
    path, body = place({**around(inner), "$defs": {"n": {"const": True}}}, temperature=1, seed=1)
    body["max_output_tokens" if "max_output_tokens" in body else "max_tokens"] = 1000
    status, _, reply = llama.post(path, body)
    assert status == 200, reply
    value = value_of(place, reply)
    assert value is not None, reply
    for name, (schema, holds) in zip(names, followed):
        assert holds(value[name]), (schema, value[name])


def test_a_function_that_is_not_strict_is_taken_as_before(llama):
    """Without "strict" the keywords are hints for the model, because clients send schemas of every kind."""
    for keyword in ("pattern", "minimum", "format", "propertyNames", "allOf"):
        path, body = chat_tool(around(DROPPED[keyword]))
        del body["tools"][0]["function"]["strict"]
        body["tool_choice"] = "auto"
        status, _, reply = llama.post(path, body)
        assert status == 200, (keyword, reply)


def test_formats_where_no_grammar_goes_are_refused(llama):
    _, wanted = chat(around({"type": "null"}))
    form = wanted["response_format"]
    status, _, reply = llama.post("/v1/completions", {"prompt": "x", "max_tokens": 5, "response_format": form})
    assert status == 400 and b"response_format" in reply, reply
    path, body = chat_tool(around({"type": "null"}), response_format=form)
    status, _, reply = llama.post(path, body)
    assert status == 400 and b"tool_choice" in reply, reply


@pytest.mark.parametrize("member, value", [
    ("structured_outputs", {"choice": ["a"]}), ("guided_choice", ["a"]), ("guided_json", {"const": 1}), ("guided_json", {}), ("guided_regex", "a"), ("guided_grammar", "x"),
    ("grammar", 'root ::= "yes"'), ("json_schema", {"const": 1}), ("regex", "a"), ("min_tokens", 5), ("modalities", ["text", "audio"]),
    ("prompt_logprobs", 1), ("bad_words", ["a"]), ("stop_token_ids", [1]), ("allowed_token_ids", [1]), ("use_beam_search", True)])
def test_members_of_other_servers_are_refused_by_name(llama, member, value):
    status, _, reply = llama.post("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}], "max_tokens": 2, member: value})
    assert status == 400 and member.encode() in reply, reply


def test_a_bias_beyond_the_vocabulary_is_refused(llama):
    body = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 2}
    assert llama.post("/v1/chat/completions", {**body, "logit_bias": {"49151": 1}})[0] == 200
    status, _, reply = llama.post("/v1/chat/completions", {**body, "logit_bias": {"49152": 1}})
    assert status == 400 and b"logit_bias" in reply, reply


@pytest.mark.parametrize("member, value", [
    ("text", {"format": {"type": "json_schema", "name": "x"}}), ("text", {"format": {"type": "sound"}}), ("prompt", {"id": "pmpt_1"}), ("instructions", 5),
    ("top_logprobs", 3), ("include", ["message.output_text.logprobs"])])
def test_odd_members_of_responses_are_refused(llama, member, value):
    status, _, reply = llama.post("/v1/responses", {"input": "hi", "max_output_tokens": 5, member: value})
    assert status == 400 and member.encode() in reply, reply
