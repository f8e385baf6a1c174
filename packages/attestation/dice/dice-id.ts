import { hkdfSync, type KeyObject } from 'node:crypto'
import { rawPublicKey } from '../cose/cose-key.ts'

/** Open DICE Profile, "Constants": ID_SALT. */
const salt = Buffer.from(
  'dbdbaebc8020da9ff0dd5a24c83aa5a54286dfc263031e329b4da148430659fe62cdb5b7e1e00fc680306711eb444af77209359496fcff1db9520ba51c7b29ea',
  'hex',
)

/** UDS_ID or CDI_ID: 20 bytes that a key has for its name ("Deriving Identifiers"), lower-case hex. */
export function diceId(key: KeyObject): string {
  const id = Buffer.from(hkdfSync('sha512', rawPublicKey(key), salt, 'ID', 20))
  id.writeUInt8((id[0] as number) & 0x7f)
  return id.toString('hex')
}
