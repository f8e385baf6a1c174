import type { Played } from './play.ts'
import { bold, green, red } from './report.ts'

export type SummaryRequest = {
  readonly played: readonly Played[]
  readonly jobId: string
  readonly clickhouse: { readonly url: string; readonly database: string }
  readonly program: { readonly name: string; readonly isOwn: boolean }
}

/** What was seen, the query that shows it again, and what of it was not real. */
export function summaryOf({ played, jobId, clickhouse, program }: SummaryRequest): string {
  const unexpected = played.filter(({ differences }) => differences.length > 0)
  const countOf = (wanted: Played['kind']) => played.filter(({ kind }) => kind === wanted).length
  const counts = `${countOf('honest')} honest jobs carried out, ${countOf('attack')} attacks and mishaps stopped, ${countOf('policy')} cuts judged by the policy of the moment`
  const verdict =
    unexpected.length === 0
      ? green(`All ${played.length} lines came out as expected: ${counts}.`)
      : red(
          `${unexpected.length} of ${played.length} lines did NOT come out as expected: ${unexpected.map(({ title }) => title).join('; ')}`,
        )
  return `
${bold('Summary')}
${verdict}

Every step is a row in ClickHouse, digital and physical on one timeline:

  curl -s -u "$(node -p "let c = require('./.interlock/dev/stack.json').clickhouse; c.username + ':' + c.password")" '${clickhouse.url}' --data-binary "
    SELECT time, kind, actor, verdict, reasons, took_ms FROM ${clickhouse.database}.actions_timeline
    WHERE job_id = '${jobId}' ORDER BY time, step FORMAT PrettyCompact"

What was real: the broker, the schema registry, ClickHouse, every signature, every check, the policy in OPA's WASM, the WebAuthn
assertions, the token service that issued the job's tokens.
What was simulated: the machines' motion (no laser, no mill), the TPMs' hardware (swtpm, a software TPM 2.0), alice's and bob's passkeys (software),
and the agents, which are this script. The machines and two of the agents have their keys in TPMs, and the registry appraised them; the other agents, the
people and the services' keys came from \`interlock dev init\`${program.isOwn ? '; the program was this project’s own' : ''}.
`
}
