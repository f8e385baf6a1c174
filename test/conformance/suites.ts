import { limbo, pkits } from './certificate-paths.ts'
import { merkle } from './merkle.ts'
import { ecdsaP1363, ed25519 } from './signatures.ts'

/** Every suite that this part can judge, by name. A suite returns undefined where its vectors are absent. */
export const suites = { pkits, limbo, 'wycheproof ecdsa p1363': ecdsaP1363, 'wycheproof ed25519': ed25519, merkle } as const
