import { enforce, parseSettings, runService } from '@interlock/enforcer'
import { openProgramStore } from '@interlock/programs'
import { semanticBounds } from './stage.ts'

const settings = parseSettings(process.env)
const { programs } = settings
const stage = semanticBounds(programs && openProgramStore(programs.url, programs.credentials))
await runService(stage.name, settings, (parts) => [enforce(stage, parts)])
