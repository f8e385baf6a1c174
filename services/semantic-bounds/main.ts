import { enforce, parseSettings, runService } from '@interlock/enforcer'
import { semanticBounds } from './stage.ts'

const stage = semanticBounds()
await runService(stage.name, parseSettings(process.env), (parts) => [enforce(stage, parts)])
