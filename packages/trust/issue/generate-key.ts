import { generateKeyPairSync, type KeyObject } from 'node:crypto'

export const generateKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
