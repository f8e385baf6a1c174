import { enforce, parseSettings, runService } from '@interlock/enforcer'
import { openProgramStore } from '@interlock/programs'
import { HttpDecisionPoint } from './authzen/decision-point.ts'
import { parseBoundsSettings } from './settings.ts'
import { semanticBounds } from './stage.ts'

const settings = parseSettings(process.env)
const { programs } = settings
const point = new HttpDecisionPoint(parseBoundsSettings(process.env))
const stage = semanticBounds(point, programs && openProgramStore(programs.url, programs.credentials))
await runService(stage.name, settings, (parts) => [enforce(stage, parts)])
point.close()
