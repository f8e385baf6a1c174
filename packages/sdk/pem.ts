import type { KeyObject } from 'node:crypto'

export const keyPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string

export const chainPem = (chain: readonly Buffer[]): string =>
  chain.map((der) => `-----BEGIN CERTIFICATE-----\n${lines(der.toString('base64'))}-----END CERTIFICATE-----\n`).join('')

const lines = (text: string) => text.replace(/.{1,64}/g, '$&\n')
