import { parseSettings, runService } from '@interlock/enforcer'
import { approvalRouter } from './processor.ts'

await runService('approval-router', parseSettings(process.env), (parts) => [approvalRouter(parts)])
