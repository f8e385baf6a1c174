import { type MachineSetup, programEnvelope } from '@interlock/bounds'
import Toolpath from 'gcode-toolpath'
import { median } from './statistics.ts'

const linesMeasured = 1_000_000
const peerLines = 100_000
const rounds = 3
const axis = { min: -200, max: 200, ratePerMin: 6000, accelerationPerS2: 500 }
const machine: MachineSetup = {
  dialect: 'rs274',
  axes: { x: axis, y: axis, z: axis },
  startUp: 'G54 G92.1 G49',
  workOffsets: { 1: { x: 0, y: 0, z: 0 } },
}

/** A finishing pass: short straight cuts, as most large programs are. */
function finishingPass(lines: number): string {
  const cuts = Array.from(
    { length: lines },
    (_, n) =>
      `G1 X${(90 * Math.sin(n / 700)).toFixed(3)} Y${(90 * Math.cos(n / 900)).toFixed(3)} Z${(-(n % 50) / 10).toFixed(2)}`,
  )
  return ['G21 G90 G94 G17', 'G0 X0 Y90 Z0', 'F600', ...cuts, 'M2'].join('\n')
}

/** Lines a second of processor time, of plain motion through the interpreter, and through gcode-toolpath, an interpreter that others wrote (fewer lines of the same program, in turn). */
export function measureGcode(): { gcode_lines_per_s: number; gcode_peer_lines_per_s: number; gcode_ratio: number } {
  const program = Buffer.from(finishingPass(linesMeasured))
  const shorter = finishingPass(peerLines)
  const seen = { own: [] as number[], peer: [] as number[] }
  for (let round = 0; round < rounds; round += 1) {
    seen.own.push(
      perSecond(linesMeasured, () => {
        const ran = programEnvelope(program, machine)
        if (!ran.ok) throw new Error(`the bench’s program is refused: ${ran.reason}`)
      }),
    )
    seen.peer.push(
      perSecond(
        peerLines,
        () => void new Toolpath({ addLine: () => undefined, addArcCurve: () => undefined }).loadFromStringSync(shorter),
      ),
    )
  }
  const [own, peer] = [median(seen.own), median(seen.peer)]
  return { gcode_lines_per_s: own, gcode_peer_lines_per_s: peer, gcode_ratio: own / peer }
}

/** Of processor time: both do nothing but reckon, and other work on the machine is not theirs. */
function perSecond(lines: number, work: () => void): number {
  const began = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(began)
  return lines / ((user + system) / 1e6)
}
