import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CliError } from '../cli-error.ts'
import { type Layout, layoutOf } from '../trust-domain/layout.ts'

/** The trust domain's directory unless --directory says otherwise. */
export const defaultDirectory = fileURLToPath(new URL('../../../.interlock/dev', import.meta.url))

/** @throws CliError where there is no trust domain yet. */
export function openLayout(directory: string): Layout {
  const layout = layoutOf(directory)
  if (existsSync(layout.trustBundle)) return layout
  throw new CliError(
    'config',
    `no trust domain in ${directory}`,
    'Run `interlock dev init` first (`npm start` does it by itself).',
  )
}
