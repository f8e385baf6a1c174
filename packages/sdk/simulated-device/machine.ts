import { setTimeout } from 'node:timers/promises'
import type { Measured } from '../adapter/acknowledge.ts'
import { DeviceFailure, type Handler } from '../adapter/order-runner.ts'
import type { VerifiedOrder } from '../adapter/verify-order.ts'
import { traceProgram } from './tool-path.ts'

/**
 * Honest simulated machines: they do what the verified command says, in a fraction of the time, and report what they did.
 * A machine that stops in the middle reports how far it came.
 */
export const machines: Readonly<Record<string, Handler>> = { 'laser-1': runLaser, 'mill-1': runMill }

/** The outline loaded in the simulated laser: 400 mm of cut. */
const OUTLINE_MM = 400
/** Simulated motion takes at most this long. */
const MOTION_MS_MAX = 300
const STEPS = 10

async function runLaser(order: VerifiedOrder, signal: AbortSignal): Promise<Measured> {
  const power = numberIn(order, 'power', 'W')
  const speed = numberIn(order, 'speed', 'mm/s')
  const seconds = OUTLINE_MM / speed
  const at = (share: number) => ({
    powerWatts: power,
    speedMmPerS: speed,
    cutMm: round(OUTLINE_MM * share),
    energyJoules: round(power * seconds * share),
  })
  return move(seconds * 1000, at, signal)
}

async function runMill(order: VerifiedOrder, signal: AbortSignal): Promise<Measured> {
  if (!order.program) throw new DeviceFailure('program-missing')
  const { blocks, travelMm } = traceProgram(order.program.toString('utf8'))
  const at = (share: number) => ({ blocks: Math.round(blocks * share), travelMm: round(travelMm * share) })
  return move((travelMm / numberIn(order, 'feed', 'mm/min')) * 60_000, at, signal)
}

async function move(realMs: number, at: (share: number) => Measured, signal: AbortSignal): Promise<Measured> {
  const stepMs = Math.min(realMs, MOTION_MS_MAX) / STEPS
  for (let step = 0; step < STEPS; step++) {
    if (signal.aborted) throw new DeviceFailure((signal.reason as DeviceFailure).reason, at(step / STEPS))
    await setTimeout(stepMs)
  }
  return at(1)
}

/** The machine's own last look at the number, as semantic-bounds signed it: in its own unit only, for it converts nothing. */
function numberIn({ quantities }: VerifiedOrder, name: string, unit: string): number {
  const quantity = quantities[name]
  if (quantity?.unit !== unit) throw new DeviceFailure('unit-unknown', { parameter: name, unit: String(quantity?.unit) })
  const value = Number(quantity.value)
  if (!(value > 0)) throw new DeviceFailure('value-unusable', { parameter: name })
  return value
}

const round = (value: number) => Math.round(value * 100) / 100
