import { readFileSync } from 'node:fs'
import { type Human, trustBundleSchema } from '@interlock/contracts'
import { openTrustBundle, type TrustAnchors } from '@interlock/trust'

/** All that a device trusts: pinned when it was set up, never learnt from the network. */
export type DeviceTrust = {
  readonly anchors: TrustAnchors
  /** By `sub`. A device reads no control.agents, so the humans whose approvals it accepts are pinned in its bundle. */
  readonly humans: ReadonlyMap<string, Human>
}

/** @throws where the file is missing, no trust bundle, or empty: a device without trust anchors must not start. */
export function readDeviceTrust(path: string): DeviceTrust {
  return openDeviceTrust(JSON.parse(readFileSync(path, 'utf8')))
}

export function openDeviceTrust(value: unknown): DeviceTrust {
  const bundle = trustBundleSchema.parse(value)
  return { anchors: openTrustBundle(bundle), humans: new Map((bundle.humans ?? []).map((human) => [human.sub, human])) }
}
