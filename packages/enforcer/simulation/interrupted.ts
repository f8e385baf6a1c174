import type { Processor } from '../processor.ts'
import type { Instance } from './instance.ts'

/** The same processor, whose decisions and signatures take time: it may be overtaken or die in each of them. */
export function interrupted<Memory>(processor: Processor<Memory>, instance: Instance): Processor<Memory> {
  const { repeat, expire, seal } = processor
  return {
    ...processor,
    react: async (...input) => {
      if (instance.random.chance(0.5)) await instance.pause()
      return processor.react(...input)
    },
    ...(repeat && {
      repeat: async (...input) => {
        await instance.pause()
        return repeat(...input)
      },
    }),
    ...(expire && {
      expire: async (...input) => {
        await instance.pause()
        return expire(...input)
      },
    }),
    ...(seal && {
      seal: async (writes) => {
        await instance.pause()
        return seal(writes)
      },
    }),
  }
}
