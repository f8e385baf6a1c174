#!/usr/bin/env node
/** Runs the CLI with the project's own Node, since the machine's may be too old to read TypeScript. Plain JavaScript on purpose. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const node = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url))
if (!existsSync(node)) {
  console.error('interlock: the packages are not installed. Run `npm start` (or `npm ci`) in the project first.')
  process.exit(69)
}
const child = spawn(node, [fileURLToPath(new URL('./interlock.ts', import.meta.url)), ...process.argv.slice(2)], {
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))
