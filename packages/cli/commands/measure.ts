import { measurePlatform } from '@interlock/sdk'
import { findTpm, openTransport } from '@interlock/tpm'
import { type Command, InvalidArgumentError } from 'commander'

/** What firmware, boot loader and boot policy measure. */
const bootPcrs = [0, 1, 2, 3, 4, 5, 6, 7]

export const tpmOption = [
  '--tpm <where>',
  'its TPM: a device file, or host:port of a software TPM (default: this machine’s)',
] as const

export function addMeasure(program: Command): void {
  program
    .command('measure')
    .description('what a machine is admitted by: its TPM, and what it has booted; run it there, in the state that it shall have')
    .option(...tpmOption)
    .option('--pcrs <numbers>', 'PCRs of the SHA-256 bank, separated by commas', pcrsOf, bootPcrs)
    .action(async ({ tpm, pcrs }: { tpm?: string; pcrs: number[] }) => {
      const transport = await openTransport(tpm ?? findTpm())
      try {
        console.log(JSON.stringify(await measurePlatform(transport, pcrs)))
      } finally {
        await transport.close()
      }
    })
}

function pcrsOf(text: string): number[] {
  const pcrs = [...new Set(text.split(',').map((one) => (/^\d{1,2}$/.test(one) ? Number(one) : Number.NaN)))]
  if (pcrs.some((pcr) => !(pcr <= 23))) throw new InvalidArgumentError('They are numbers from 0 to 23, for example 0,4,7.')
  return pcrs.sort((one, other) => one - other)
}
