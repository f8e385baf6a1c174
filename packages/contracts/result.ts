/** A refusal is a value with a stable reason code; an error is thrown (a bug or broken infrastructure) and never becomes a decision. */
export type Detail = Readonly<Record<string, unknown>>
export type Refused<Reason extends string> = { readonly ok: false; readonly reason: Reason; readonly detail: Detail }
export type Result<Value, Reason extends string> = { readonly ok: true; readonly value: Value } | Refused<Reason>

export const accepted = <Value>(value: Value): { readonly ok: true; readonly value: Value } => ({ ok: true, value })
export const refused = <Reason extends string>(reason: Reason, detail: Detail = {}): Refused<Reason> => ({
  ok: false,
  reason,
  detail,
})
