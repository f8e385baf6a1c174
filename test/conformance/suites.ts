import { limbo, pkits } from './certificate-paths.ts'
import { eventLogs } from './event-logs.ts'
import { jsonWebSignatures } from './json-web-signatures.ts'
import { merkle } from './merkle.ts'
import { ecdsaDer, ecdsaP1363, ed25519 } from './signatures.ts'
import { spire } from './spire.ts'
import { webauthn } from './webauthn.ts'

/** Every suite that this part can judge, by name. A suite returns undefined where its vectors are absent. */
export const suites = {
  pkits,
  limbo,
  'wycheproof ecdsa p1363': ecdsaP1363,
  'wycheproof ecdsa der': ecdsaDer,
  'wycheproof ed25519': ed25519,
  'wycheproof jws': jsonWebSignatures,
  merkle,
  'spire svids': spire,
  'webauthn l3': webauthn,
  'tpm event logs': eventLogs,
} as const
