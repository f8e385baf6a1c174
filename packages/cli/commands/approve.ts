import type { Decision } from '@interlock/contracts'
import { openProgramStore } from '@interlock/programs'
import { ControlFold } from '@interlock/sdk'
import { openTrustBundle, readCommand } from '@interlock/trust'
import type { Command } from 'commander'
import { answerRequest, type PendingRequest, pendingRequests } from '../approvals/approver.ts'
import { CliError } from '../cli-error.ts'
import { type Connection, connect, send } from '../stack/connect.ts'
import { readAll } from '../stack/follow.ts'
import { readStackFile } from '../stack/stack-file.ts'
import { pictureOf } from '../trace/program-picture.ts'
import type { Layout } from '../trust-domain/layout.ts'
import { readTrustBundle } from '../trust-domain/trust-bundle-file.ts'
import { defaultDirectory, openLayout } from './directory.ts'
import { passkeyOf } from './passkey-of.ts'
import { writePicture } from './write-picture.ts'

type Options = { directory: string; as: string; svg?: string }

export function addApprove(program: Command): void {
  const approve = program.command('approve').description('answer what waits for a human, with a software passkey')
  approve
    .command('list')
    .description('what waits')
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action(async ({ directory }: Options) => {
      const layout = openLayout(directory)
      const { requests } = await open(layout)
      if (requests.length === 0) console.log('nothing waits')
      for (const request of requests) console.log(`${describe(request)}\n`)
    })
  approve
    .command('show <intentId>')
    .description('what one asks, and with --svg what its program would do')
    .option('--svg <file>', 'write a picture of the program’s path, with the machine’s limits drawn in')
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action(show)
  for (const [name, answer] of [
    ['allow', 'ALLOW'],
    ['deny', 'DENY'],
  ] as const) {
    approve
      .command(`${name} <intentId>`)
      .description(`${name} one`)
      .requiredOption('--as <human>', 'who answers: alice, bob or carol')
      .option('--directory <dir>', 'the trust domain', defaultDirectory)
      .action((intentId: string, options: Options) => run(intentId, answer, options))
  }
}

async function run(intentId: string, answer: 'ALLOW' | 'DENY', { directory, as }: Options): Promise<void> {
  const layout = openLayout(directory)
  const passkey = passkeyOf(layout, as)
  const { connection, requests } = await open(layout)
  const pending = pendingOf(requests, intentId)
  console.log(describe(pending))
  const approval = answerRequest(pending, answer, passkey)
  await send(connection, 'approvals', approval.jobId, connection.codec.encode('approvals', approval))
  console.log(`\n${as} answered ${answer}, signed with passkey ${passkey.credentialId.slice(0, 8)}…`)
}

async function show(intentId: string, { directory, svg }: Options): Promise<void> {
  const layout = openLayout(directory)
  const { connection, requests, intents } = await open(layout)
  const pending = pendingOf(requests, intentId)
  console.log(describe(pending))
  if (svg === undefined) return
  const intent = connection.codec.decode('intents', intents.get(intentId) ?? Buffer.alloc(0), 'Intent')
  const asked = intent.ok ? readCommand(intent.value) : intent
  // The command that approval-router asks about, and no other of that name.
  if (!intent.ok || !asked.ok || asked.value.commandDigest !== pending.request.commandDigest)
    throw new CliError('no', 'the intent beside the request is not the one that it asks about', 'Look at `interlock trace`.')
  const fold = new ControlFold(connection.codec, openTrustBundle(readTrustBundle(layout)))
  await readAll(connection.kafka, ['control.devices'], ({ value }) => void fold.take('control.devices', value))
  const device = fold.table('control.devices').get(intent.value.device)
  writePicture(svg, await pictureOf(intent.value, device, openProgramStore(layout.programs)))
}

function pendingOf(requests: readonly PendingRequest[], intentId: string): PendingRequest {
  const pending = requests.find(({ request }) => request.intentId === intentId)
  if (pending) return pending
  throw new CliError('no', `nothing waits for intent ${intentId}`, '`interlock approve list` shows what does.')
}

type Open = {
  readonly connection: Connection
  readonly requests: readonly PendingRequest[]
  /** The intent's bytes beside each request, by intent. */
  readonly intents: ReadonlyMap<string, Buffer>
}

async function open(layout: Layout): Promise<Open> {
  const connection = await connect(readStackFile(layout))
  const decisions: Decision[] = []
  await readAll(connection.kafka, ['decisions.approval-router'], ({ topic, value }) => {
    const decoded = connection.codec.decode(topic, value, 'Decision')
    if (decoded.ok) decisions.push(decoded.value)
  })
  const requests = pendingRequests(decisions, openTrustBundle(readTrustBundle(layout)), Date.now())
  return { connection, requests, intents: new Map(decisions.map(({ intentId, intent }) => [intentId, intent])) }
}

function describe({ request, required, approvers }: PendingRequest): string {
  const minutes = Math.max(0, Math.round((request.expiresAt - Date.now()) / 60_000))
  return [
    `intent ${request.intentId}, ${request.jobId}`,
    `  ${request.summary.replace(/[\p{Cc}\p{Cf}]/gu, '�')}`,
    `  risk ${request.risk}, policy ${request.policy}, ${required} of ${approvers.join(', ')}, ${minutes} minutes left`,
  ].join('\n')
}
