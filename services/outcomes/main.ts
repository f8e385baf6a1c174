import { parseSettings, runService } from '@interlock/enforcer'
import { outcomes } from './processor.ts'

await runService('outcomes', parseSettings(process.env), (parts) => [outcomes(parts)])
