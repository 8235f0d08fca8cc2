// Writes cases of other pipelines than those of the packages: changes to a tokenizer.json, and what Hugging Face's library then gives.
// Use: node variants.mjs DIR_WITH_NODE_MODULES | gzip -9n > ../../SkMmBert.Tests/Tokens/variants.jsonl.gz   (tokenizers 0.23.2)
import fs from 'node:fs';
import path from 'node:path';
import { cases } from './cases.mjs';

const goldens = path.resolve(import.meta.dirname, '../../reference/goldens');
const base = { bpe: 'tiny-modernbert/model/tokenizer.json', bert: 'tiny-bert-2d/model/tokenizer.json' };
const metaspace = (prepend_scheme, split) => ({ pre_tokenizer: { type: 'Metaspace', replacement: '\u2581', prepend_scheme, split } });
const bert = (clean_text, handle_chinese_chars, strip_accents, lowercase) => ({ normalizer: { type: 'BertNormalizer', clean_text, handle_chinese_chars, strip_accents, lowercase } });
const token = (id, content, flags) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: false, ...flags });
const variants = [
  ['bpe', 'metaspace first, split', metaspace('first', true)], ['bpe', 'metaspace first', metaspace('first', false)],
  ['bpe', 'metaspace never, split', metaspace('never', true)], ['bpe', 'metaspace never', metaspace('never', false)], ['bpe', 'metaspace always', metaspace('always', false)],
  ['bpe', 'Gemma', { pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false } }],
  ['bpe', 'no pre-tokenizer', { pre_tokenizer: null }], ['bpe', 'no normalizer', { normalizer: null }],
  ['bpe', 'unknown tokens', { 'model.byte_fallback': false }], ['bpe', 'unknown tokens one by one', { 'model.byte_fallback': false, 'model.fuse_unk': false }],
  ['bpe', 'unknown tokens, no split', { 'model.byte_fallback': false, ...metaspace('always', false) }],
  ['bpe', 'Metaspace decoder', { decoder: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always', split: true } }], ['bpe', 'no decoder', { decoder: null }],
  ['bpe', 'BertProcessing', { post_processor: { type: 'BertProcessing', sep: ['<eos>', 1], cls: ['<bos>', 2] } }],
  ['bpe', 'RobertaProcessing', { post_processor: { type: 'RobertaProcessing', sep: ['<eos>', 1], cls: ['<bos>', 2], trim_offsets: false, add_prefix_space: false } }],
  ['bpe', 'no post-processor', { post_processor: null }],
  ['bpe', 'added tokens with flags', { added_tokens: [token(0, '<pad>', { special: true }), token(4, '<mask>', { lstrip: true, special: true }), token(512, 'the', { normalized: true }), token(513, 'quick brown', { normalized: true, single_word: true }), token(514, 'caf', { single_word: true }), token(515, '.NET', { rstrip: true }), token(516, 'C#', { lstrip: true, rstrip: true }), token(517, 'x_', { normalized: true, lstrip: true }), token(518, '\u6771\u4eac', {}), token(519, '\u6771\u4eac\u90fd', { normalized: true })] }],
  ['bert', 'cased', bert(true, true, null, false)], ['bert', 'accents kept', bert(true, true, false, true)], ['bert', 'cased, accents stripped', bert(true, true, true, false)],
  ['bert', 'not cleaned', bert(false, true, null, true)], ['bert', 'Chinese not set off', bert(true, false, null, true)], ['bert', 'no normalizer', { normalizer: null }],
  ['bert', 'short words', { 'model.max_input_chars_per_word': 5 }],
];
let seed = 100;
for (const [kind, name, changes] of variants) {
  const json = JSON.parse(fs.readFileSync(path.join(goldens, base[kind]), 'utf8'));
  for (const [where, value] of Object.entries(changes)) { const keys = where.split('.'); (keys.length > 1 ? json[keys[0]] : json)[keys.at(-1)] = value; }
  // Short texts, and some that are longer than the window in which a text is read.
  for (const [count, pieces] of [[40, 10], [1, 1600]]) {
    for await (const row of cases(path.resolve(process.argv[2]), json, count, seed++, pieces)) console.log(JSON.stringify({ kind, name, changes, ...row }));
  }
}
