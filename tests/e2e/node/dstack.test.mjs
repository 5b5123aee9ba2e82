// The official Node client of dstack guest agents runs unmodified against the simulated agent's socket.
import assert from 'node:assert/strict';
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { after, before, test } from 'node:test';

import { DstackClient, TappdClient } from '@phala/dstack-sdk';
import { computeAddress, SigningKey } from 'ethers';

import { startAgent } from './support.mjs';

let agent;
let client;
before(async () => {
  agent = await startAgent();
  client = new DstackClient(agent.socket);
});
after(async () => {
  assert.equal(await agent.stop(), 0);
});

// The report data of a version 4 quote follows the header of 48 bytes, at offset 520 of the body.
const reportData = (quote) => Buffer.from(quote, 'hex').subarray(48 + 520, 48 + 584);

test('a quote binds the report data', async () => {
  const data = Buffer.alloc(64, 7);
  const answer = await client.getQuote(data);
  assert.deepEqual(reportData(answer.quote), data);
  assert.ok(JSON.parse(answer.event_log).some((event) => event.event === 'compose-hash'));
});

test('info is that of the quote', async () => {
  assert.equal(await client.isReachable(), true);
  const info = await client.info();
  assert.equal(info.app_name, 'cloister');
  assert.equal(createHash('sha256').update(info.tcb_info.app_compose).digest('hex'), info.compose_hash);
  const { quote } = await client.getQuote('x');
  assert.equal(Buffer.from(quote, 'hex').subarray(48 + 136, 48 + 184).toString('hex'), info.tcb_info.mrtd);
  assert.equal((await client.version()).rev, 'insecure-simulator');
});

test('keys are derived by path and signed by the application', async () => {
  const one = await client.getKey('a', 'signing');
  assert.equal(one.signature_chain.length, 2);
  assert.ok(one.signature_chain.every((signature) => signature.length === 65));
  const two = await client.getKey('b');
  assert.match(computeAddress(new SigningKey(one.key).publicKey), /^0x[0-9a-fA-F]{40}$/);
  assert.notDeepEqual(one.key, two.key);
  assert.deepEqual((await client.getKey('a', 'other')).key, one.key);
});

test('an event moves the fourth register', async () => {
  const register = async () => Buffer.from((await client.getQuote('x')).quote, 'hex').subarray(48 + 472, 48 + 520).toString('hex');
  const before = await register();
  await client.emitEvent('model', 'digest');
  assert.notEqual(await register(), before);
});

test('TLS keys come with their certificates', async () => {
  const key = await client.getTlsKey({ subject: 'example.com', altNames: ['example.com'] });
  const [leaf, authority] = key.certificate_chain.map((pem) => new X509Certificate(pem));
  assert.ok(leaf.checkPrivateKey(createPrivateKey(key.key)));
  assert.ok(leaf.verify(authority.publicKey));
  assert.match(leaf.subject, /INSECURE SIMULATOR/);
});

test('signatures verify', async () => {
  for (const algorithm of ['ed25519', 'secp256k1']) {
    const { signature, public_key: publicKey } = await client.sign(algorithm, 'message');
    assert.equal((await client.verify(algorithm, 'message', signature, publicKey)).valid, true);
    assert.equal((await client.verify(algorithm, 'massage', signature, publicKey)).valid, false);
  }
});

test('the older client takes quotes and keys', async () => {
  const older = new TappdClient(agent.socket);
  assert.equal(await older.isReachable(), true);
  const { quote } = await older.tdxQuote('data');
  assert.deepEqual(reportData(quote), createHash('sha512').update('app-data:data').digest());
  assert.equal((await older.deriveKey('a')).key, (await older.deriveKey('a')).key);
});
