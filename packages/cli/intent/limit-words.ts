import { type LimitMet, limitMetOf } from '@interlock/contracts'

/** A refusal's detail in words where it is about a limit: "power: asked 120 W, the grant allows 80 W". Else the detail as it is. */
export function wordsOfDetail(detail: string): string {
  const limit = limitMetOf(detail)
  if (!limit) return detail
  const { parameter, asked, nearest, limitOf } = limit
  const allowed = nearest === undefined ? 'allows nothing near' : `allows ${textOf(nearest)}`
  return `${parameter}: asked ${textOf(asked) || 'nothing'}, the ${limitOf} ${allowed}`
}

const textOf = (value: LimitMet['asked']) => (typeof value === 'string' ? value : `${value.value} ${value.unit}`)
