import { parseSettings, runService } from '@interlock/enforcer'
import { outcomeCounter } from './metrics.ts'
import { outcomes } from './processor.ts'

await runService('outcomes', parseSettings(process.env), ({ trust, roots, topology, metrics }) => [
  outcomes({ trust, roots, topology, count: outcomeCounter(metrics) }),
])
