import type { Command } from 'commander'
import { createJob } from '../trust-domain/jobs.ts'
import { defaultDirectory, openLayout } from './directory.ts'

export function addDevJob(dev: Command): void {
  dev
    .command('job')
    .description('issue a job of alice: a root token for the orchestrator, narrower ones for the operators, for an hour')
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .option('--job <id>', 'its id; a fresh one unless given')
    .action(async ({ directory, job }: { directory: string; job?: string }) => {
      const layout = openLayout(directory)
      const { jobId, expiresAt, tokens } = await createJob(layout, Date.now(), job)
      console.log(`${jobId}, until ${new Date(expiresAt).toISOString()}: ${layout.job(jobId)}`)
      for (const [agent, chain] of Object.entries(tokens))
        console.log(`  ${agent}: ${chain.length} token${chain.length > 1 ? 's' : ''}`)
    })
}
