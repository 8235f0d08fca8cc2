// Writes random texts with the ids, offsets (UTF-16 units) and decoded text that Hugging Face's own Rust library gives.
// Use: node cases.mjs DIR_WITH_NODE_MODULES TOKENIZER_JSON COUNT SEED [PIECES] > cases.jsonl
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export async function* cases(modules, json, count, seed, pieces) {
  const { Tokenizer } = createRequire(path.resolve(modules, 'x.js'))('tokenizers');
  const tokenizer = Tokenizer.fromString(JSON.stringify(json));
  let state = BigInt(seed) * 7919n + 1n;
  const random = (n) => { state = (state * 6364136223846793005n + 1442695040888963407n) & 0xFFFFFFFFFFFFFFFFn; return Number((state >> 33n) % BigInt(n)); };
  const pick = (list) => list[random(list.length)];

  const vocab = Object.keys(json.model.vocab);
  const added = (json.added_tokens ?? []).map((t) => t.content);
  const words = 'the quick brown fox naïve café Straße don\'t DON\'T 3.14 .NET C# x_y camelCase HTTP/2 東京都 カリフォルニア 한국어 가각힣 слово Ελλάδα ΟΔΟΣ हिन्दी ไทย עברית العربية İstanbul ıssız ffi ﬁ ½ ² № ™ 🦊 👩‍👩‍👧 🇩🇪 é ệ q̣̇ ā̈ Å Ω 𝔘𝔫𝔦 𩸽 龘靐 \u0000 \ufeff \u200b \u200d \u00ad \u0085 \u2028 \u3000 \u00a0 \u180e ▁ ▁▁ <0x0A> <0xE2>'.split(' ');
  const ranges = [[32, 126], [32, 126], [0xA0, 0x24F], [0x300, 0x36F], [0x370, 0x52F], [0x590, 0x6FF], [0x900, 0xDFF], [0xE00, 0xFFF], [0x1100, 0x11FF], [0x1E00, 0x206F], [0x2070, 0x2BFF], [0x3000, 0x30FF], [0x4E00, 0x9FFF], [0xAC00, 0xD7A3], [0xF900, 0xFFFC], [0x10000, 0x11FFF], [0x16000, 0x1D7FF], [0x1E000, 0x1FAFF], [0x20000, 0x2FA1F], [0, 31], [0x1AB0, 0x1DFF]];
  const glue = ['', '', ' ', ' ', ' ', '  ', '\n', '\t', '\n\n', ' \n', '   ', '\r\n', ',', '.', '-', '_'];
  const makers = [
    () => pick(words), () => pick(words), () => pick(vocab), () => pick(vocab).replaceAll('▁', ' ').replaceAll('##', ''), () => (added.length ? pick(added) : 'x'),
    () => { const [a, b] = pick(ranges); let s = ''; for (let n = 1 + random(8); n > 0; n--) { const c = a + random(b - a + 1); if (c < 0xD800 || c > 0xDFFF) s += String.fromCodePoint(c); } return s; },
    () => pick(['a', 'ab', 'xyz', '=', '-', '😀', '가', '中', ' ', '\n', '\t', '▁', '!?', 'é']).repeat(1 + random(random(20) === 0 ? 400 : 12)),
    () => pick(words).normalize(pick(['NFC', 'NFD', 'NFKD'])), () => pick(words).toUpperCase(), () => String.fromCodePoint(97 + random(26)) + String.fromCodePoint(0x300 + random(0x70)) + String.fromCodePoint(0x300 + random(0x70)),
    () => '<' + pick(['mask', 'bos', 'unk', 'x', '/b', 'b']) + pick(['>', '', ' >']), () => pick(['[CLS]', '[SEP]', '[MASK]', '[cls]', '[UNK]', '[ CLS ]']),
  ];
  const make = () => { let s = ''; for (let n = random(Number(pieces)); n > 0; n--) s += pick(makers)() + pick(glue); return s; };

  const units = (text) => { const at = [0]; let unit = 0; for (const c of text) at.push(unit += c.length); return at; };
  for (let n = 0; n < Number(count); n++) {
    const text = make(), pair = random(10) === 0 ? make() : undefined;
    const encoding = await tokenizer.encode(text, pair ?? null, { addSpecialTokens: true });
    const sequence = encoding.getSequenceIds ? encoding.getSequenceIds() : null;
    const first = units(text), second = units(pair ?? ''), types = sequence ?? encoding.getTypeIds();
    const offsets = encoding.getOffsets().map(([a, b], i) => { const map = pair !== undefined && types[i] === 1 ? second : first; return [map[a], map[b]]; });
    const ids = encoding.getIds();
    const decoded = await tokenizer.decode(ids, true);
    yield { text, ...(pair !== undefined ? { pair } : {}), ids: [...ids], offsets, decoded };
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , modules, file, count, seed, pieces = '12'] = process.argv;
  for await (const row of cases(modules, JSON.parse(fs.readFileSync(file, 'utf8')), count, seed, pieces)) console.log(JSON.stringify(row));
}
