import { quantity } from '@interlock/sdk'
import { approveAs } from './approve.ts'
import type { Case } from './case.ts'
import type { World } from './world.ts'

/** Jobs as they should be. */
export const honest: readonly Case<World>[] = [
  {
    title: ({ program }) => `the mill runs ${program.name}, ${program.bytes.length} bytes of G-code`,
    kind: 'honest',
    expect: { outcome: 'completed', orders: 1 },
    async play(world) {
      const intent = await world.intent({
        device: 'mill-1',
        capability: 'mill.run-program',
        parameters: { spindle: quantity(12_000, '/min'), feed: quantity(1500, 'mm/min') },
        program: { mediaType: 'text/x-gcode', bytes: world.program.bytes },
        tokens: world.tokens('agent-mill-operator-z1'),
        key: world.key('agent-mill-operator-z1'),
      })
      await world.submit(intent)
      return intent.intentId
    },
  },
  {
    title: () => 'the laser cuts at 60 W: the job grants 80, the machine could do 120',
    kind: 'honest',
    expect: { outcome: 'completed', orders: 1 },
    async play(world) {
      const intent = await world.laserCut()
      await world.submit(intent)
      return intent.intentId
    },
  },
  {
    title: () => 'burning a serial number cannot be undone: it waits for a human, and bob allows it with his passkey',
    kind: 'honest',
    expect: { outcome: 'completed', orders: 1 },
    async play(world) {
      const parameters = { power: quantity(20, 'W'), speed: quantity(50, 'mm/s') }
      const intent = await world.intent({ capability: 'laser.engrave-serial', parameters })
      await world.submit(intent)
      void approveAs(world, intent.intentId, 'bob')
      return intent.intentId
    },
  },
]
