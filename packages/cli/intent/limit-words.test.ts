import { expect, test } from 'vitest'
import { wordsOfDetail } from './limit-words.ts'

test.each([
  [
    { parameter: 'power', asked: { value: '120', unit: 'W' }, nearest: { value: '80', unit: 'W' }, limitOf: 'grant' },
    'power: asked 120 W, the grant allows 80 W',
  ],
  [
    { parameter: 'energy', asked: '600 J', nearest: '500 J', limitOf: 'machine' },
    'energy: asked 600 J, the machine allows 500 J',
  ],
  [{ parameter: 'time', asked: 'now', limitOf: 'grant' }, 'time: asked now, the grant allows nothing near'],
  [
    { parameter: 'mode', asked: '', nearest: 'production', limitOf: 'machine' },
    'mode: asked nothing, the machine allows production',
  ],
  [{ human: 'alice' }, '{"human":"alice"}'],
])('%j is said as %s', (detail, words) => expect(wordsOfDetail(JSON.stringify(detail))).toBe(words))
