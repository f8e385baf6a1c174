import { defineConfig } from 'vitest/config'

const anywhere = ['packages', 'services', 'ops', 'test'].map((folder) => `${folder}/**`)
const needsStack = anywhere.map((folder) => `${folder}/*.stack.test.ts`)

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: anywhere.map((folder) => `${folder}/*.test.ts`),
          exclude: ['**/node_modules/**', ...needsStack],
          // Against hanging alone: machines are shared, and a property test takes what it takes.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Against real parts (test/stack.ts): file by file in one process, which starts one stack for all of them when the first asks.
        test: {
          name: 'stack',
          include: needsStack,
          pool: 'forks',
          fileParallelism: false,
          maxWorkers: 1,
          // kafkajs computes waits below zero, which Node sets right and warns of.
          execArgv: ['--disable-warning=TimeoutNegativeWarning'],
          isolate: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
