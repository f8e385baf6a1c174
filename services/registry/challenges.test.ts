import { SingleUse } from '@interlock/trust'
import { describe, expect, it } from 'vitest'
import { Challenges } from './challenges.ts'

const subject = 'spiffe://lab.interlock.example/device/laser-1'
const now = 1_800_000_000_000

describe('a question', () => {
  it('is read back from its id, with its nonce of 32 bytes', () => {
    const challenges = new Challenges()
    const { id, nonce } = challenges.issue(subject, now)
    expect(challenges.read(id, now)).toMatchObject({ subject, nonce, until: now + 60_000 })
    expect(nonce).toHaveLength(32)
  })

  it('is never the same twice, and its nonce is not to be had from another’s', () => {
    const challenges = new Challenges()
    const asked = Array.from({ length: 100 }, () => challenges.issue(subject, now))
    expect(new Set(asked.map(({ nonce }) => nonce.toString('hex'))).size).toBe(100)
    expect(new Set(asked.map(({ id }) => id)).size).toBe(100)
    expect(asked.some(({ id, nonce }) => Buffer.from(id, 'base64url').includes(nonce))).toBe(false)
  })

  it('stays open however many strangers ask for the same subject', () => {
    const challenges = new Challenges()
    const own = challenges.issue(subject, now)
    for (let asked = 0; asked < 1000; asked++) challenges.issue(subject, now + 1)
    expect(challenges.read(own.id, now + 100)?.nonce).toEqual(own.nonce)
  })

  it('attack 23: is over after its minute', () => {
    const challenges = new Challenges()
    const { id } = challenges.issue(subject, now)
    expect(challenges.read(id, now + 59_999)).toBeDefined()
    expect(challenges.read(id, now + 60_000)).toBeUndefined()
  })

  it('is nobody else’s: not of another process, and not with a bit changed, wherever', () => {
    const challenges = new Challenges()
    const { id } = challenges.issue(subject, now)
    expect(new Challenges().read(id, now)).toBeUndefined()
    const bytes = Buffer.from(id, 'base64url')
    for (const at of bytes.keys()) {
      const changed = Buffer.from(bytes)
      changed[at] = (bytes[at] as number) ^ 1
      expect(challenges.read(changed.toString('base64url'), now)).toBeUndefined()
    }
  })

  it.each(['', 'A', 'A'.repeat(64), 'A'.repeat(75), 'A'.repeat(100_000)])('is no text that is none (%#)', (text) =>
    expect(new Challenges().read(text, now)).toBeUndefined())

  it('attack 23: is answered once, under whatever spelling of its id', () => {
    const challenges = new Challenges()
    const { id } = challenges.issue(subject, now)
    const answered = (text: string) => {
      const question = challenges.read(text, now)
      return question && challenges.answer(question, now)
    }
    expect([answered(id), answered(id), answered(`${id}=`), answered(`${id} `)]).toEqual([true, false, false, false])
  })

  it('attack 58: counts as answered where too many were, and none of them is forgotten', () => {
    const challenges = new Challenges(new SingleUse({ all: 10, owner: 2 }))
    const questions = Array.from({ length: 3 }, () => challenges.read(challenges.issue(subject, now).id, now))
    const answered = () => questions.map((question) => question && challenges.answer(question, now))
    expect(answered()).toEqual([true, true, false])
    expect(answered()).toEqual([false, false, false])
  })
})
