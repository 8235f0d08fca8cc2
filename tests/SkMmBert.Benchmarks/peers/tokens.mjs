// Prints one table row for each peer: tokens per second on the given texts, load time, and texts whose ids differ from the reference.
// Use: node tokens.mjs DIR_WITH_NODE_MODULES TOKENIZER_JSON INPUT_JSON (called by the verb 'tokens --peer').
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , modules, file, input] = process.argv;
const require = createRequire(path.resolve(modules, 'x.js'));
const { mixed, english, parity } = JSON.parse(fs.readFileSync(input, 'utf8'));
const seconds = () => process.cpuUsage().user / 1e6;
const version = (name) => JSON.parse(fs.readFileSync(path.resolve(modules, 'node_modules', name, 'package.json'), 'utf8')).version;

async function row(name, load, encode) {
  const started = seconds();
  await load();
  const loaded = seconds() - started;
  const speed = async (texts) => {
    let best = Infinity, tokens = 0;
    for (let round = 0; round < 2; round++) {
      const start = seconds();
      tokens = 0;
      for (const text of texts) tokens += (await encode(text)).length;
      best = Math.min(best, seconds() - start);
    }
    return Math.round(tokens / best).toLocaleString('en-US');
  };
  const rates = [await speed(mixed), await speed(english)];
  let different = 0;
  for (const { text, ids } of parity) {
    let found;
    try { found = await encode(text); } catch { found = []; }
    if (found.length !== ids.length || ids.some((id, i) => id !== found[i])) different++;
  }
  console.log(`| ${name} | ${rates[0]} | ${rates[1]} | ${loaded.toFixed(2)} | ${different} of ${parity.length} |`);
}

const json = () => JSON.parse(fs.readFileSync(file, 'utf8'));
let peer;
await row(`@huggingface/transformers ${version('@huggingface/transformers')}`, async () => {
  const { PreTrainedTokenizer } = await import(pathToFileURL(require.resolve('@huggingface/transformers')));
  peer = new PreTrainedTokenizer(json(), {});
}, (text) => peer.encode(text, { add_special_tokens: false }));
peer = undefined;
await row(`tokenizers ${version('tokenizers')} (Hugging Face's Rust core for Node)`, () => { peer = require('tokenizers').Tokenizer.fromString(fs.readFileSync(file, 'utf8')); },
  async (text) => (await peer.encode(text, null, { addSpecialTokens: false })).getIds());
