import { expect, it } from 'vitest'
import type { TaskToken } from './task-token.ts'
import type { TrustAnchors } from './trust-anchors.ts'
import { VerifiedTokens, verifiedTokensOf } from './verified-tokens.ts'

const token = {} as TaskToken

it('keeps the newest tokens and no more', () => {
  const tokens = new VerifiedTokens(2)
  for (const text of ['a', 'b', 'c']) tokens.add(text, { token, signer: text })
  expect(['a', 'b', 'c'].map((text) => tokens.get(text)?.signer)).toEqual([undefined, 'b', 'c'])
})

it('keeps what one trust bundle verified from another', () => {
  const [ours, theirs] = [{}, {}] as [TrustAnchors, TrustAnchors]
  verifiedTokensOf(ours).add('a', { token, signer: 'key' })
  expect(verifiedTokensOf(ours).get('a')?.signer).toBe('key')
  expect(verifiedTokensOf(theirs).get('a')).toBeUndefined()
})
