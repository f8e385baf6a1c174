import { readFileSync } from 'node:fs'
import { type TrustBundle, trustBundleSchema } from '@interlock/contracts'
import type { Layout } from './layout.ts'

export const readTrustBundle = ({ trustBundle }: Layout): TrustBundle =>
  trustBundleSchema.parse(JSON.parse(readFileSync(trustBundle, 'utf8')))
