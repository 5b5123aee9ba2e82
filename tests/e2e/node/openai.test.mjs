// The official Node SDK runs unmodified against the real model.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import OpenAI from 'openai';

import { model as modelFile, startNode } from './support.mjs';

let node;
let client;
const messages = [{ role: 'user', content: 'What is the capital of France? Answer in one short sentence.' }];
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

before(async () => {
  node = await startNode('--model', modelFile, '--parallel', '4', '--context', '1024');
  client = new OpenAI({ baseURL: `${node.url}/v1`, apiKey: 'unused', maxRetries: 0, timeout: 60000 });
});
after(async () => {
  assert.equal(await node.stop(), 0);
});

const ask = (options, more) =>
  client.chat.completions.create({ model: node.model, messages, max_tokens: 48, temperature: 0, ...options }, more);

test('models', async () => {
  const ids = [];
  for await (const model of await client.models.list()) ids.push(model.id);
  assert.deepEqual(ids, [node.model]);
});

test('chat', async () => {
  const reply = await ask({});
  assert.match(reply.choices[0].message.content, /Paris/);
  assert.equal(reply.choices[0].finish_reason, 'stop');
  assert.equal(reply.usage.total_tokens, reply.usage.prompt_tokens + reply.usage.completion_tokens);
});

test('streaming, with usage', async () => {
  let text = '';
  let usage;
  let pieces = 0;
  for await (const chunk of await ask({ stream: true, stream_options: { include_usage: true } })) {
    text += chunk.choices[0]?.delta.content ?? '';
    usage = chunk.usage ?? usage;
    pieces += 1;
  }
  assert.match(text, /Paris/);
  assert.ok(pieces > 3 && usage.completion_tokens > 3);
  assert.equal(text, (await ask({})).choices[0].message.content);
});

test('tool call', async () => {
  const reply = await ask({
    messages: [{ role: 'user', content: 'Weather in Berlin?' }], tools: [weather], tool_choice: 'required', max_tokens: 200,
  });
  const [call] = reply.choices[0].message.tool_calls;
  assert.equal(call.function.name, 'get_weather');
  assert.equal(typeof JSON.parse(call.function.arguments).city, 'string');
});

test('tool call, streamed through the SDK\'s own accumulator', async () => {
  const stream = client.chat.completions.stream({
    model: node.model, messages: [{ role: 'user', content: 'Weather in Berlin?' }], tools: [weather], tool_choice: 'required',
    max_tokens: 200, temperature: 0,
  });
  const reply = await stream.finalChatCompletion();
  assert.equal(reply.choices[0].finish_reason, 'tool_calls');
  assert.equal(typeof JSON.parse(reply.choices[0].message.tool_calls[0].function.arguments).city, 'string');
});

test('JSON schema', async () => {
  const schema = {
    type: 'object', properties: { name: { type: 'string', maxLength: 20 }, age: { type: 'integer' } }, required: ['name', 'age'],
    additionalProperties: false,
  };
  const reply = await ask({
    messages: [{ role: 'user', content: 'Invent a person.' }], max_tokens: 200,
    response_format: { type: 'json_schema', json_schema: { name: 'person', strict: true, schema } },
  });
  const person = JSON.parse(reply.choices[0].message.content);
  assert.deepEqual(Object.keys(person).sort(), ['age', 'name']);
});

test('logprobs', async () => {
  const reply = await ask({ logprobs: true, top_logprobs: 2, max_tokens: 4 });
  assert.equal(reply.choices[0].logprobs.content.length, 4);
  assert.equal(reply.choices[0].logprobs.content[0].top_logprobs.length, 2);
});

test('embeddings, in the SDK\'s default encoding', async () => {
  const reply = await client.embeddings.create({ model: node.model, input: ['a cat', 'a tax return'] });
  assert.equal(reply.data.length, 2);
  assert.ok(reply.data[0].embedding.length >= 64);
  assert.ok(reply.data[0].embedding.every(Number.isFinite));
});

test('completions', async () => {
  const reply = await client.completions.create({ model: node.model, prompt: 'The capital of France is', max_tokens: 8, temperature: 0 });
  assert.match(reply.choices[0].text, /Paris/);
});

test('errors', async () => {
  await assert.rejects(ask({ model: 'gpt-4o' }), (error) => error instanceof OpenAI.NotFoundError && error.param === 'model');
  await assert.rejects(ask({ temperature: 9 }), (error) => error instanceof OpenAI.BadRequestError && error.param === 'temperature');
  await assert.rejects(ask({ messages: [] }), OpenAI.BadRequestError);
});

test('cancellation stops the engine', async () => {
  const abort = new AbortController();
  const stream = await ask(
    { messages: [{ role: 'user', content: 'Count from 1 to 1000.' }], max_tokens: 900, stream: true }, { signal: abort.signal },
  );
  let pieces = 0;
  try {
    for await (const chunk of stream) {
      pieces += chunk.choices.length;
      if (pieces === 3) abort.abort();
    }
  } catch (error) {
    assert.ok(error instanceof OpenAI.APIUserAbortError, String(error));
  }
  const deadline = Date.now() + 1000;
  while ((await node.metric('cloister_engine_active')) !== 0) assert.ok(Date.now() < deadline, 'still computing after a second');
});
