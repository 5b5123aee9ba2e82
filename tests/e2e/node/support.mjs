// Starts a real node and speaks raw HTTP with it. The tests in this folder use it.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const binary = process.env.CLOISTER_BINARY ?? path.join(root, 'build/release/cloister');

export const model = process.env.CLOISTER_MODEL;

export async function startNode(...serveArguments) {
  const folder = mkdtempSync(path.join(tmpdir(), 'cloister-'));
  const child = spawn(
    binary,
    ['serve', '--listen', '127.0.0.1:0', '--state', path.join(folder, 'state'), '--tee', 'insecure-simulator',
      '--gpu', 'insecure-simulator', ...serveArguments],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let log = '';
  child.stderr.on('data', (data) => { log += data; });
  const ended = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('listening on ')) resolve(line.slice('listening on '.length));
    });
    ended.then((code) => reject(new Error(`the server ended with ${code}: ${log}`)));
  });
  for (let i = 0; ; ++i) {
    const reply = await fetch(`${url}/health`);
    if (reply.status === 200) break;
    if (i > 1200) throw new Error(`not healthy: ${await reply.text()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const stop = async () => {
    child.kill('SIGTERM');
    const code = await ended;
    rmSync(folder, { recursive: true, force: true });
    return code;
  };
  const metric = async (name) => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return text.split('\n').filter((line) => line.startsWith(`${name} `)).reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
  };
  const models = await (await fetch(`${url}/v1/models`)).json();
  return { url, stop, metric, model: models.data[0].id };
}

// Starts the simulated dstack guest agent on its own socket.
export async function startAgent() {
  const folder = mkdtempSync(path.join(tmpdir(), 'cloister-'));
  const socket = path.join(folder, 'dstack.sock');
  const child = spawn(binary, ['simulator', '--socket', socket, '--seed-file', path.join(folder, 'seed')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (data) => { log += data; });
  const ended = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
  await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === `listening on unix:${socket}`) resolve();
    });
    ended.then((code) => reject(new Error(`the agent ended with ${code}: ${log}`)));
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const code = await ended;
    rmSync(folder, { recursive: true, force: true });
    return code;
  };
  return { socket, stop };
}

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

// POSTs these bytes over a plain socket and returns the exact body bytes of the reply, with only the framing removed.
export function rawPost(url, requestPath, body) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const pieces = [];
    const socket = net.connect(Number(port), hostname, () => {
      socket.write(`POST ${requestPath} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/json\r\n`
        + `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`);
      socket.write(body);
    });
    socket.on('data', (data) => pieces.push(data));
    socket.on('error', reject);
    socket.on('end', () => {
      const all = Buffer.concat(pieces);
      const split = all.indexOf('\r\n\r\n');
      const head = all.subarray(0, split).toString('latin1').toLowerCase();
      const rest = all.subarray(split + 4);
      const status = Number(head.split(' ')[1]);
      resolve({ status, body: head.includes('transfer-encoding: chunked') ? unchunk(rest) : rest });
    });
  });
}

function unchunk(bytes) {
  const out = [];
  for (;;) {
    const end = bytes.indexOf('\r\n');
    const size = Number.parseInt(bytes.subarray(0, end).toString('latin1'), 16);
    if (size === 0) return Buffer.concat(out);
    out.push(bytes.subarray(end + 2, end + 2 + size));
    bytes = bytes.subarray(end + 2 + size + 2);
  }
}
