import { existsSync, readFileSync } from 'node:fs'

/** A program for the mill, and where it comes from. */
export type Program = { readonly name: string; readonly bytes: Buffer; readonly isOwn: boolean }

const root = new URL('../../', import.meta.url)
/** A real program that others wrote, where the collection is at hand. */
const shared = new URL('../shared/data/gcode/tests/trajectory-planner/circular-arcs/nc_files/spindle/spindle-wait.ngc', root)
const own = new URL('ops/scenario/plate.ngc', root)

/** The mill's program: one of LinuxCNC's own where the shared data are there, else a small one of this project. */
export function readProgram(): Program {
  const isOwn = !existsSync(shared)
  const file = isOwn ? own : shared
  return { name: file.pathname.split('/').at(-1) as string, bytes: readFileSync(file), isOwn }
}
