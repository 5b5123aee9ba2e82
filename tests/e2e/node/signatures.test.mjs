// `ethers` must recover exactly the signing address from bytes captured off a raw socket.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { after, before, test } from 'node:test';

import { verifyMessage } from 'ethers';

import { model as modelFile, rawPost, sha256, startNode } from './support.mjs';

let node;
before(async () => {
  node = await startNode('--model', modelFile, '--parallel', '4', '--context', '1024');
});
after(async () => {
  assert.equal(await node.stop(), 0);
});

const getJson = async (path) => {
  const reply = await fetch(node.url + path);
  assert.equal(reply.status, 200, path);
  return reply.json();
};

async function check(options) {
  const request = Buffer.from(JSON.stringify({ model: node.model, max_tokens: 48, temperature: 0, ...options }));
  const reply = await rawPost(node.url, '/v1/chat/completions', request);
  assert.equal(reply.status, 200, reply.body.toString());
  const id = /"id":\s*"([^"]+)"/.exec(reply.body.toString())[1];
  const signature = await getJson(`/v1/signature/${id}?model=${encodeURIComponent(node.model)}&signing_algo=ecdsa`);
  const report = await getJson('/v1/attestation/report');
  assert.equal(signature.text, `${sha256(request)}:${sha256(reply.body)}`);
  assert.equal(verifyMessage(signature.text, signature.signature), report.signing_address);
  assert.equal(signature.signing_address, report.signing_address);

  const other = await getJson(`/v1/signature/${id}?model=${encodeURIComponent(node.model)}&signing_algo=ed25519`);
  const x = Buffer.from(other.signing_address, 'hex').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  assert.ok(verify(null, Buffer.from(other.text), key, Buffer.from(other.signature, 'hex')));
  return reply.body.toString();
}

const greeting = [{ role: 'user', content: 'Antworte: Grüße, 世界 🌍!' }];
const tools = [{
  type: 'function',
  function: { name: 'wetter', parameters: { type: 'object', properties: { stadt: { enum: ['Köln', '東京'] } }, required: ['stadt'] } },
}];

test('buffered, non-ASCII', () => check({ messages: greeting }));
test('streamed, non-ASCII', () => check({ messages: greeting, stream: true }));
test('two choices', () => check({ messages: greeting, n: 2, temperature: 1 }));
test('two choices, streamed', () => check({ messages: greeting, n: 2, temperature: 1, stream: true }));
test('tool call, streamed', async () => {
  const body = await check({ messages: [{ role: 'user', content: 'Wetter in Köln?' }], tools, tool_choice: 'required', stream: true, max_tokens: 100 });
  assert.match(body, /tool_calls/);
  assert.ok(body.endsWith('data: [DONE]\n\n'));
});
