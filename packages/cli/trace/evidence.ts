import type {
  Ack,
  Appraisal,
  Approval,
  Codec,
  ControlEntry,
  Decision,
  Intent,
  IssuedToken,
  Order,
  Outcome,
  Receipt,
} from '@interlock/contracts'
import type { TrustAnchors } from '@interlock/trust'

/** A record as audit kept it: decoded from the very bytes that lay in the topic. */
export type Kept<Value> = { readonly record: Value; readonly bytes: Buffer; readonly at: string }

/** All that was kept of one intent, in the order of the topics; repeats included. */
export type Evidence = {
  readonly intents: readonly Kept<Intent>[]
  readonly decisions: readonly Kept<Decision>[]
  readonly approvals: readonly Kept<Approval>[]
  readonly orders: readonly Kept<Order>[]
  readonly acks: readonly Kept<Ack>[]
  readonly receipts: readonly Kept<Receipt>[]
  readonly outcomes: readonly Kept<Outcome>[]
  /** Tokens of the intent as the token service recorded them, without their signatures. */
  readonly issuedTokens: readonly Kept<IssuedToken>[]
  /** What the registry found of the platforms under the agents that held those tokens, and under the device. */
  readonly appraisals: readonly Kept<Appraisal>[]
  /** Every kept revision of the device's and the humans' entries, and what stood of the agent's trust domain where it is a partner's. */
  readonly controlEntries: readonly {
    readonly table: 'control.agents' | 'control.devices' | 'control.federation'
    readonly entry: ControlEntry
  }[]
  /** Rows whose bytes no longer decode. */
  readonly unreadable: readonly { readonly at: string; readonly reason: string }[]
}

/** What the evidence is checked against. */
export type Reference = { readonly anchors: TrustAnchors; readonly codec: Codec }

/** One check done again now: ✓, ✗, or what could not be checked and why. */
export type Check = { readonly what: string; readonly result: 'holds' | 'fails' | 'unchecked'; readonly why?: string }

export type TraceNode = { readonly title: string; readonly checks: readonly Check[]; readonly children: readonly TraceNode[] }

export const holds = (what: string): Check => ({ what, result: 'holds' })
export const fails = (what: string, why: string): Check => ({ what, result: 'fails', why })
export const unchecked = (what: string, why: string): Check => ({ what, result: 'unchecked', why })

/** A check from a verifier's answer. */
export function checkOf(what: string, result: { ok: true } | { ok: false; reason: string; detail: unknown }): Check {
  return result.ok ? holds(what) : fails(what, `${result.reason} ${JSON.stringify(result.detail)}`)
}

export const checkThat = (what: string, isSo: boolean, otherwise: string): Check => (isSo ? holds(what) : fails(what, otherwise))
