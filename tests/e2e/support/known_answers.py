"""Known answers (docs/spec/known-answers.md) and a server that gives them, as replies with log probabilities in OpenAI's form."""

import json

from support.upstream import ScriptedServer, whole

TOKENS = 8


def logprob(number):
    return f"{number:.6f}"


def token(name, shift=0.0):
    """Returns a position of a reply: `name` and nine less likely tokens."""
    top = [{"token": name, "logprob": -0.1 + shift, "bytes": None}]
    top += [{"token": f"{name}-{i}", "logprob": -2.0 - i, "bytes": None} for i in range(1, 10)]
    return {"token": name, "logprob": -0.1 + shift, "bytes": None, "top_logprobs": top}


def good_reply(model, request):
    """Returns the reply of the tests' model: words that follow from the prompt, as many as requested."""
    prompt = request["messages"][-1]["content"]
    words = [f" w{(len(prompt) * 7 + i) % 97}" for i in range(request.get("max_tokens") or TOKENS)]
    choice = {"index": 0, "message": {"role": "assistant", "content": "".join(words)}, "finish_reason": "length"}
    if request.get("logprobs"):
        choice["logprobs"] = {"content": [token(word) for word in words]}
    usage = {"prompt_tokens": 3, "completion_tokens": len(words), "total_tokens": 3 + len(words)}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}


def document(model, weights_digest=None, tolerance=0.05):
    """Returns the answers of such a server to three prompts."""
    cases = []
    for prompt in ("one", "two two", "three three three"):
        messages = [{"role": "user", "content": prompt}]
        choice = good_reply(model, {"messages": messages, "max_tokens": TOKENS, "logprobs": True})["choices"][0]
        tokens = [[{"text": one["token"], "logprob": logprob(one["logprob"])} for one in position["top_logprobs"][:5]]
                  for position in choice["logprobs"]["content"]]
        cases.append({"messages": messages, "content": choice["message"]["content"], "tokens": tokens})
    named = {"id": model, "weights_digest": weights_digest, "chat_template_digest": None, "engine": "script"}
    return {"schema": "cloister.known_answers.v1", "model": named, "recorded_at": 1780000000, "tolerance": logprob(tolerance), "cases": cases}


class AnsweringServer(ScriptedServer):
    """Gives good replies, which `change(reply, request)` may change. The function may be set at any time. `prompts` holds the prompts of
    users."""

    def __init__(self, change=None, **options):
        self.change, self.prompts = change, []
        super().__init__(self._answer, **options)

    def _answer(self, connection, request):
        body = json.loads(request[2])
        if not body.get("logprobs"):
            self.prompts.append(body["messages"][-1]["content"])
        reply = good_reply("m", body)
        if self.change:
            reply = self.change(reply, body)
        connection.sendall(whole(reply if isinstance(reply, bytes) else json.dumps(reply).encode()))
