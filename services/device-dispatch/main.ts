import { parseSettings, runService } from '@interlock/enforcer'
import { backHalf } from './back-half.ts'
import { receiptCounter } from './metrics.ts'
import { outHalf } from './out-half.ts'

await runService('device-dispatch', parseSettings(process.env), (parts) => [
  outHalf(parts),
  backHalf({ ...parts, count: receiptCounter(parts.metrics) }),
])
