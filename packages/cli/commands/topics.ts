import { readTopology } from '@interlock/contracts'
import { registerSchemas } from '@interlock/contracts/registry'
import { applyTopics, planTopics, type TopicChange } from '@interlock/contracts/topic-admin'
import type { Command } from 'commander'
import { exitCodes } from '../exit-codes.ts'
import { connectBroker } from '../stack/connect.ts'
import { readStackFile } from '../stack/stack-file.ts'
import { defaultDirectory, openLayout } from './directory.ts'

type Options = { directory: string }

export function addTopics(program: Command): void {
  const topics = program.command('topics').description('the broker against topics.yaml')
  topics
    .command('plan')
    .description('show where the broker differs; exit code 1 where it does')
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action((options: Options) => run(options, 'plan'))
  topics
    .command('apply')
    .description('make the broker the same and register the schemas')
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action((options: Options) => run(options, 'apply'))
}

async function run({ directory }: Options, mode: 'plan' | 'apply'): Promise<void> {
  const stack = readStackFile(openLayout(directory))
  const topology = readTopology()
  const kafka = await connectBroker(stack)
  const admin = kafka.admin()
  await admin.connect()
  try {
    const changes = mode === 'plan' ? await planTopics(admin, topology) : await applyTopics(admin, topology)
    for (const change of changes) console.log(lineOf(change))
    const differing = changes.filter(({ kind }) => kind !== 'unknown')
    if (mode === 'apply') {
      await registerSchemas(stack.registry, topology)
      console.log(`applied ${differing.length} changes; schemas are registered`)
    } else {
      console.log(differing.length === 0 ? 'the broker is as topics.yaml says' : '`interlock topics apply` makes it so')
      process.exitCode = differing.length === 0 ? exitCodes.done : exitCodes.no
    }
  } finally {
    await admin.disconnect()
  }
}

function lineOf(change: TopicChange): string {
  switch (change.kind) {
    case 'create':
      return `+ ${change.topic}: create with ${change.partitions} partitions`
    case 'config':
      return `~ ${change.topic}: ${change.name} ${change.from || '(none)'} → ${change.to}`
    case 'partitions':
      return `! ${change.topic}: has ${change.from} partitions, topics.yaml says ${change.to}; apply cannot change that`
    case 'unknown':
      return `? ${change.topic}: not in topics.yaml, left alone`
  }
}
