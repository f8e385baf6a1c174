import type { ClickHouseClient } from '@clickhouse/client'
import type { Codec, ControlEntry, RecordName, Records } from '@interlock/contracts'
import { claimsOf } from './enrolment-nodes.ts'
import type { Evidence, Kept } from './evidence.ts'
import { trustDomainsOf } from './partners.ts'

type Row = { topic: string; partition: number; at: string; raw: string }

/** Reads all that audit kept of an intent: the raw bytes, never the columns. */
export async function loadEvidence(clickhouse: ClickHouseClient, codec: Codec, intentId: string): Promise<Evidence> {
  const unreadable: { at: string; reason: string }[] = []
  const read = async <Name extends RecordName>(
    table: string,
    record: Name,
    where = 'intent_id = {intentId: String}',
    parameters: Record<string, unknown> = { intentId },
  ): Promise<Kept<Records[Name]>[]> => {
    const from = `${table} WHERE ${where} AND in_place ORDER BY recorded_at, topic, partition, offset`
    const rows = await select(clickhouse, from, parameters)
    return rows.flatMap((row) => {
      const at = `${row.topic}:${row.partition}:${row.at}`
      const bytes = Buffer.from(row.raw, 'base64')
      const decoded = codec.decode(row.topic, bytes, record)
      if (!decoded.ok) unreadable.push({ at, reason: decoded.reason })
      return decoded.ok ? [{ record: decoded.value, bytes, at }] : []
    })
  }
  const intents = await read('intents', 'Intent')
  const decisions = await read('decisions', 'Decision')
  const approvals = await read('approvals', 'Approval')
  const orders = await read('orders', 'Order')
  const acks = await read('acks', 'Ack')
  const receipts = await read('receipts', 'Receipt')
  const outcomes = await read('outcomes', 'Outcome')
  const devices = [...new Set([...acks, ...intents].map(({ record }) => record.device))]
  const names = [...approvals, ...decisions].map(({ record }) => record.human)
  const humans = [...new Set(names.filter((name) => name !== ''))].map((name) => `human:${name}`)
  const entries = await readControl(clickhouse, codec, [...devices, ...humans])
  const decided = decisions.map(({ record }) => record)
  const until = Math.max(0, ...decided.filter(({ stage }) => stage === 'identity-verify').map(({ decidedAt }) => decidedAt))
  const partners = trustDomainsOf(decided.map(({ agent }) => agent))
  const controlEntries = [...entries, ...(await readPartners(clickhouse, codec, partners, until))]
  const claims = intents.flatMap(({ record }) => claimsOf(record.tokens))
  const tokenIds = claims.map(({ jti }) => jti)
  const issuedTokens = await read('issued_tokens', 'IssuedToken', 'token_id IN {tokenIds: Array(String)}', { tokenIds })
  const certificates = claims.map(({ cnf }) => cnf['x5t#S256'])
  const subjects = devices.map((device) => `/device/${device}`)
  // Of an agent what was found when its very certificate was issued, of a device all that was.
  const found = `(certificate IN {certificates: Array(String)} OR arrayExists(one -> endsWith(subject, one), {subjects: Array(String)}))`
  const appraisals = await read('appraisals', 'Appraisal', found, { certificates, subjects })
  const control = { controlEntries, issuedTokens, appraisals }
  return { intents, decisions, approvals, orders, acks, receipts, outcomes, ...control, unreadable }
}

type KeptEntries = Evidence['controlEntries']

function readControl(clickhouse: ClickHouseClient, codec: Codec, ids: string[]): Promise<KeptEntries> {
  const where = `id IN {ids: Array(String)} AND topic IN ('control.agents', 'control.devices') ORDER BY revision, offset`
  return readEntries(clickhouse, codec, where, { ids })
}

/** A partner's entry is written anew with each answer of its bundle endpoint: of so many only the last before the decision is asked for. */
function readPartners(clickhouse: ClickHouseClient, codec: Codec, ids: string[], until: number): Promise<KeptEntries> {
  const where = `id IN {ids: Array(String)} AND topic = 'control.federation' AND revision <= {until: UInt64} ORDER BY revision DESC LIMIT 1 BY id`
  return readEntries(clickhouse, codec, where, { ids, until })
}

async function readEntries(
  clickhouse: ClickHouseClient,
  codec: Codec,
  where: string,
  parameters: Record<string, unknown> & { readonly ids: string[] },
): Promise<KeptEntries> {
  if (parameters.ids.length === 0) return []
  const rows = await select(clickhouse, `control_entries WHERE ${where}`, parameters)
  return rows.flatMap((row) => {
    const table = row.topic as KeptEntries[number]['table']
    const decoded = codec.decode(table, Buffer.from(row.raw, 'base64'), 'ControlEntry')
    return decoded.ok ? [{ table, entry: decoded.value as ControlEntry }] : []
  })
}

async function select(clickhouse: ClickHouseClient, from: string, parameters: Record<string, unknown>): Promise<Row[]> {
  // base64: a String column holds bytes, and JSON would not carry them. Not `AS offset`: what is sorted by it would be sorted as text.
  const query = `SELECT topic, partition, toString(offset) AS at, base64Encode(raw) AS raw FROM ${from} LIMIT 1000`
  const result = await clickhouse.query({ query, query_params: parameters, format: 'JSONEachRow' })
  return result.json<Row>()
}
