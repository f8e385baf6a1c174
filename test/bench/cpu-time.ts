import { existsSync, readFileSync } from 'node:fs'

/** CPU time that processes have taken so far, milliseconds; undefined where the system has no /proc. */
export function cpuTimeMs(pids: readonly number[]): number | undefined {
  if (!existsSync('/proc/self/stat')) return undefined
  return pids.reduce((sum, pid) => {
    // The name, in brackets, may hold spaces; fields 14 and 15 are user and system time in ticks of 10 ms (proc(5)).
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return sum + (Number(fields[11]) + Number(fields[12])) * 10
  }, 0)
}
