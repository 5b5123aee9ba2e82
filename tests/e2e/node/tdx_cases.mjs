// Verifies TDX quotes with dcap-qvl's npm builds, for the differential test (tests/e2e/test_tdx_differential.py):
//
//   node tdx_cases.mjs javascript|wasm
//
// `javascript` is @phala/dcap-qvl, an independent implementation in JavaScript. `wasm` is @phala/dcap-qvl-web, the Rust
// library compiled for browsers, which knows no root but Intel's. The input lines are those of
// tests/differential/tdx_cases.cc. Each output line is {"status","advisory_ids"} for an accepted quote, and {"error"}
// otherwise.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(import.meta.url);

function javascript() {
  const { QuoteVerifier } = require('@phala/dcap-qvl');
  return (quote, collateral, time, rootDer) => {
    const verifier = rootDer ? QuoteVerifier.newWithRootCa(rootDer) : QuoteVerifier.newProd();
    return verifier.verify(quote, collateral, time);
  };
}

async function wasm() {
  const library = await import('@phala/dcap-qvl-web');
  const path = require.resolve('@phala/dcap-qvl-web').replace(/\.js$/, '_bg.wasm');
  library.initSync({ module: readFileSync(path) });
  return (quote, collateral, time, rootDer) => {
    if (rootDer) throw new Error('this build takes no root of its caller');
    return library.js_verify(new Uint8Array(quote), collateral, BigInt(time));
  };
}

const der = (pem) => Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
const text = (thrown) => [thrown?.message ?? thrown, thrown?.cause?.message].filter(Boolean).join(': ');

const verify = process.argv[2] === 'wasm' ? await wasm() : javascript();

for await (const line of createInterface({ input: process.stdin })) {
  const [root, time, quote, ...bundle] = line.split('\t');
  let found;
  try {
    const rootDer = root === '-' ? null : der(Buffer.from(root, 'hex').toString());
    const report = verify(Buffer.from(quote, 'hex'), JSON.parse(bundle.join('\t')), Number(time), rootDer);
    found = { status: report.status, advisory_ids: report.advisory_ids };
  } catch (thrown) {
    found = { error: text(thrown) };
  }
  process.stdout.write(`${JSON.stringify(found)}\n`);
}
