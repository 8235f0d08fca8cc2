// Usage: node encoder.mjs MODEL_FOLDER TEXTS.json — texts per second of @huggingface/transformers, one thread, processor time.
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { AutoModel, Tensor, env } from '@huggingface/transformers';

const [folder, textsFile] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = dirname(folder);
const model = await AutoModel.from_pretrained(basename(folder), {
  dtype: 'fp32', local_files_only: true, use_external_data_format: true, session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
});

// One padded batch through the model, as its feature-extraction pipeline does.
async function run(texts) {
  const width = Math.max(...texts.map(text => text.length));
  const ids = new BigInt64Array(texts.length * width), mask = new BigInt64Array(texts.length * width);
  texts.forEach((text, row) => text.forEach((id, i) => { ids[row * width + i] = BigInt(id); mask[row * width + i] = 1n; }));
  const shape = [texts.length, width];
  await model({ input_ids: new Tensor('int64', ids, shape), attention_mask: new Tensor('int64', mask, shape) });
}

async function seconds(action, rounds) {
  let least = Infinity;
  for (let i = 0; i < rounds; i++) {
    const before = process.cpuUsage();
    await action();
    const used = process.cpuUsage(before);
    least = Math.min(least, (used.user + used.system) / 1e6);
  }
  return least;
}

for (const length of [32, 128, 512]) {
  const text = Array.from({ length }, (_, i) => (i * 7919 + 11) % 255000 + 5);
  const s = await seconds(() => run([text]), length < 512 ? 8 : 4);
  console.log(`peer, ${length} tokens: ${(1 / s).toFixed(2)} texts per second of processor time (${(s * 1000).toFixed(1)} ms)`);
}
const texts = JSON.parse(readFileSync(textsFile));
const s = await seconds(async () => { for (let i = 0; i < texts.length; i += 32) await run(texts.slice(i, i + 32)); }, 1);
console.log(`peer, ${texts.length} texts of 8 to 60 tokens in padded batches of 32: ${(texts.length / s).toFixed(1)} texts per second of processor time`);
