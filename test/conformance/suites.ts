import { limbo, pkits } from './certificate-paths.ts'
import { eventLogs } from './event-logs.ts'
import { gcode } from './gcode.ts'
import { joseCookbook } from './jose-cookbook.ts'
import { jsonWebKeys } from './json-web-keys.ts'
import { jsonWebSignatures } from './json-web-signatures.ts'
import { merkle } from './merkle.ts'
import { oauthExamples } from './oauth-examples.ts'
import { ecdsaDer, ecdsaP1363, ed25519, rsaPss } from './signatures.ts'
import { spire } from './spire.ts'
import { webauthn } from './webauthn.ts'

/** Every suite that this part can judge, by name. A suite returns undefined where its vectors are absent. */
export const suites = {
  pkits,
  limbo,
  'wycheproof ecdsa p1363': ecdsaP1363,
  'wycheproof ecdsa der': ecdsaDer,
  'wycheproof ed25519': ed25519,
  'wycheproof rsa pss': rsaPss,
  'wycheproof jws': jsonWebSignatures,
  'wycheproof jwk': jsonWebKeys,
  'jose cookbook': joseCookbook,
  'oauth examples': oauthExamples,
  merkle,
  'spire svids': spire,
  'webauthn l3': webauthn,
  'tpm event logs': eventLogs,
  gcode,
} as const
