/**
 * Brings what a clean clone lacks, before `npm start` and `npm test`: the packages of package-lock.json (Node 24 among them), the
 * programs that npm cannot bring, and the jars of the local stack. Plain JavaScript without dependencies, since it runs with
 * whatever Node (20 or later) the machine has. `--test` adds what only tests need. Nothing is installed that is there already.
 */
import { bringReleases } from './jars.mjs'
import { bringPackages } from './packages.mjs'
import { planPrograms } from './programs.mjs'
import { SetUpError } from './say.mjs'

try {
  // First of all, so that what only the user can install is said before anything else is done.
  const installPrograms = planPrograms({ forTests: process.argv.includes('--test') })
  const results = await Promise.allSettled([
    bringPackages(),
    (async () => {
      await installPrograms?.()
      await bringReleases()
    })(),
  ])
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  if (reasons.length > 0)
    throw reasons.length === 1 ? reasons[0] : new AggregateError(reasons, reasons.map(({ message }) => message).join('\n'))
} catch (error) {
  console.error(`interlock: ${error.message}`)
  if (!(error instanceof SetUpError))
    console.error('interlock: the set-up failed. Check that the package registries can be reached, then run the command again.')
  process.exitCode = 1
}
