import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)
const foldersIn = (parent: string) => readdirSync(new URL(parent, root)).map((name) => `${parent}${name}`)
const workspaces = [...foldersIn('packages/'), ...foldersIn('services/'), 'ops', 'test']
const lock = JSON.parse(readFileSync(new URL('package-lock.json', root), 'utf8')) as { packages: Record<string, unknown> }

it.each(workspaces)('%s is in the lock file: else a fresh clone cannot install', (folder) => {
  expect(existsSync(new URL(`${folder}/package.json`, root))).toBe(true)
  expect(lock.packages).toHaveProperty([folder])
})
