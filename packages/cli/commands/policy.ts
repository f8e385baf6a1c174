import { createPublicKey, X509Certificate } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { type PolicyBundle, policyName, readBundle, renameBundle } from '@interlock/policy'
import { openTrustBundle } from '@interlock/trust'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { auditedPolicies, publishedPolicies } from '../policy/policy-history.ts'
import { buildFolder, readPolicyFile } from '../policy/policy-source.ts'
import { type Pushed, pushPolicy } from '../policy/push-policy.ts'
import { boundsPolicyOf, tryPolicy } from '../policy/try-policy.ts'
import { connect } from '../stack/connect.ts'
import { readStackFile } from '../stack/stack-file.ts'
import { signingKeyOf } from '../trust-domain/jobs.ts'
import type { Layout } from '../trust-domain/layout.ts'
import { readTrustBundle } from '../trust-domain/trust-bundle-file.ts'
import { defaultDirectory, openLayout } from './directory.ts'
import { addPolicyDecisionPoint } from './policy-decision-point.ts'
import { addPolicyReplay } from './policy-replay.ts'

type Options = { directory: string }
type BuildOptions = Options & { out: string; revision?: string }
type KeyOptions = Options & { key?: string }

export function addPolicy(program: Command): void {
  const policy = program.command('policy').description('what semantic-bounds refuses beyond machine and grant (OPA)')
  withDirectory(policy.command('build <folder>'))
    .description('test and compile Rego to an OPA bundle, signed as the operator')
    .requiredOption('--out <file>', 'the bundle, .tar.gz')
    .option('--revision <name>', 'what it calls itself; without it, named after what it is made of')
    .action(build)
  withKey(policy.command('check <bundle>'))
    .description('whether it is signed, whole, and a policy that the stage could use')
    .action(check)
  withKey(policy.command('push <bundle>'))
    .description('put a bundle, or a folder of Rego, into force: signed anew under the next sequence')
    .action(push)
  withDirectory(policy.command('list')).description('the policies that were published; the last is in force').action(list)
  withDirectory(policy.command('rollback <sequence>'))
    .description('put an earlier policy into force again, under the next sequence')
    .action(rollback)
  addPolicyDecisionPoint(policy)
  addPolicyReplay(policy)
}

const withDirectory = (command: Command) => command.option('--directory <dir>', 'the trust domain', defaultDirectory)

const withKey = (command: Command) =>
  withDirectory(command).option('--key <file>', 'PEM of whose signature it must have; without it, the operator’s')

async function build(folder: string, { directory, out, revision }: BuildOptions): Promise<void> {
  const built = buildFolder(folder, revision)
  const key = signingKeyOf(openLayout(directory), 'operator-dev')
  const bundle = await renameBundle(built.bundle, built.revision, key)
  tryPolicy(boundsPolicyOf(readBundle(bundle), 1))
  writeFileSync(out, bundle)
  console.log(`${built.tests}\n${built.revision}: ${out}, ${bundle.length} bytes, signed by ${key.spiffeId}`)
}

function check(path: string, options: KeyOptions): void {
  const bundle = signedBundle(path, openLayout(options.directory), options.key)
  const decision = tryPolicy(boundsPolicyOf(bundle, 1))
  console.log(`${bundle.revision || '(no name)'}: the signature holds, ${bundle.wasm.length} bytes of WebAssembly`)
  console.log(`asked of a small cut it says ${JSON.stringify(decision)}`)
}

async function push(path: string, { directory, key }: KeyOptions): Promise<void> {
  const layout = openLayout(directory)
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  const built = isFolder ? buildFolder(path) : undefined
  const bundle = built ? { ...readBundle(built.bundle), revision: built.revision } : signedBundle(path, layout, key)
  if (built) console.log(built.tests)
  report(await pushPolicy(layout, (sequence) => boundsPolicyOf(bundle, sequence), Date.now()))
}

async function list({ directory }: Options): Promise<void> {
  const layout = openLayout(directory)
  const published = await publishedPolicies(await connect(readStackFile(layout)), openTrustBundle(readTrustBundle(layout)))
  for (const { policy, updatedAt, signer } of published) {
    const standing = policy === published.at(-1)?.policy ? 'in force' : 'replaced'
    console.log(`${policyName(policy)}  ${standing}  ${new Date(updatedAt).toISOString()}  ${signer}`)
  }
  if (published.length === 0) throw new CliError('no', 'there is no policy: every command is refused', 'Push one.')
}

async function rollback(text: string, { directory }: Options): Promise<void> {
  const layout = openLayout(directory)
  const stack = readStackFile(layout)
  const anchors = openTrustBundle(readTrustBundle(layout))
  const connection = await connect(stack)
  const audited = await auditedPolicies(stack, connection.codec, anchors).catch(() => [])
  const known = [...audited, ...(await publishedPolicies(connection, anchors))]
  const earlier = known.find(({ policy }) => String(policy.sequence) === text)?.policy
  if (!earlier) throw new CliError('no', `no policy with sequence ${text} is known`, '`interlock policy list` shows which are.')
  report(await pushPolicy(layout, (sequence) => ({ ...earlier, sequence }), Date.now()))
}

function report({ policy, replaced }: Pushed): void {
  console.log(`${policyName(policy)} is published${replaced ? `, in place of ${policyName(replaced)}` : ''}`)
  console.log('Decisions name it from when semantic-bounds has read it, within a second; nothing is restarted.')
}

/** A bundle that somebody answers for. @throws CliError, BundleError */
function signedBundle(path: string, layout: Layout, keyFile: string | undefined): PolicyBundle {
  return readBundle(readPolicyFile(path), keyFile === undefined ? operatorKey(layout) : publicKeyOf(keyFile))
}

function operatorKey(layout: Layout) {
  const [leaf] = signingKeyOf(layout, 'operator-dev').chain
  return new X509Certificate(leaf as Buffer).publicKey
}

function publicKeyOf(file: string) {
  try {
    return createPublicKey(readFileSync(file))
  } catch (error) {
    throw new CliError('usage', `--key ${file}: ${(error as Error).message}`, 'Name a PEM file with a public key.')
  }
}
