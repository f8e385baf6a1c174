import { enforce, parseSettings, runService } from '@interlock/enforcer'
import { stage } from './stage.ts'

await runService(stage.name, parseSettings(process.env), (parts) => [enforce(stage, parts)])
