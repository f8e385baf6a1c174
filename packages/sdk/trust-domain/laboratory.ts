import type { AgentDefinition, ApprovalPolicy, DeviceEntry, DeviceGrant } from '@interlock/contracts'
import type { Admission } from '@interlock/trust'

/** What the local laboratory consists of: names, machines, people and rules, without keys. */
export const laboratory = {
  trustDomain: 'lab.interlock.example',
  audience: 'interlock:lab.interlock.example',
  webauthn: { rpId: 'lab.interlock.example', origin: 'https://console.lab.interlock.example' },
} as const

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** How long an appraisal made by `dev init` counts here. A registry that appraises again and again would set minutes. */
const APPRAISAL_AGE_MS_MAX = 365 * DAY_MS

export type LaboratoryAgent = { readonly definition: string; readonly instance: string }
export const agents: readonly LaboratoryAgent[] = [
  { definition: 'job-orchestrator', instance: 'o1' },
  { definition: 'laser-operator', instance: 'z1' },
  { definition: 'mill-operator', instance: 'z1' },
]

export const agentName = (agent: LaboratoryAgent): string => `agent-${agent.definition}-${agent.instance}`

export const definitions: Readonly<Record<string, AgentDefinition['definition']>> = {
  'job-orchestrator': definition('You plan jobs of the laboratory and give each part of a job to the operator made for it.', [
    'interlock.delegate',
    'interlock.submit',
  ]),
  'laser-operator': definition('You cut sheet material on laser-1, within what the job grants.', ['interlock.submit']),
  'mill-operator': definition('You run milling programs on mill-1, within what the job grants.', ['interlock.submit']),
}

function definition(systemPrompt: string, toolManifest: string[]): AgentDefinition['definition'] {
  return { modelDigest: 'sha256:simulated-checkpoint-0001', systemPrompt, toolManifest, version: '1.0.0' }
}

export type LaboratoryHuman = { readonly sub: string; readonly roles: readonly ('requester' | 'approver' | 'operator')[] }
export const humans: readonly LaboratoryHuman[] = [
  { sub: 'alice', roles: ['requester', 'approver'] },
  { sub: 'bob', roles: ['approver'] },
  { sub: 'carol', roles: ['approver'] },
]

/** The beam at its power for as long as an order may last; what it really took the machine says in its ack. */
const laserUses = {
  energy: { by: 'rate', parameter: 'power', during: 'order', reported: { member: 'energyJoules', unit: 'J' } },
  time: { by: 'time', during: 'order' },
} as const

type DeviceProfile = Pick<DeviceEntry, 'description' | 'capabilities' | 'orderValidityMs' | 'completionMsMax'>
export const deviceProfiles: Readonly<Record<string, DeviceProfile>> = {
  'laser-1': {
    description: 'CO2 laser cutter, 120 W, 600 × 400 mm bed',
    orderValidityMs: 15_000,
    completionMsMax: 60_000,
    capabilities: {
      'laser.cut': {
        description: 'Cuts along the loaded outline with one power and speed',
        risk: 'low',
        parameters: {
          power: quantity('1', '120', 'W', true, 1),
          speed: quantity('1', '500', 'mm/s', true, 1),
          focus: quantity('-5', '5', 'mm', false, 2),
          assistGas: { kind: 'choice', values: ['none', 'air', 'nitrogen'], required: false },
        },
        uses: laserUses,
      },
      'laser.engrave-serial': {
        description: 'Burns a serial number into a finished part: cannot be undone',
        risk: 'high',
        parameters: { power: quantity('1', '40', 'W', true, 1), speed: quantity('1', '500', 'mm/s', true, 1) },
        uses: laserUses,
      },
    },
  },
  'mill-1': {
    description: 'Three-axis mill, 300 × 200 × 100 mm',
    orderValidityMs: 15_000,
    completionMsMax: 300_000,
    capabilities: {
      'mill.run-program': {
        description: 'Runs a G-code program within a spindle speed and a feed',
        risk: 'low',
        parameters: { spindle: quantity('0', '24000', '/min', true, 0), feed: quantity('1', '6000', 'mm/min', true, 1) },
        uses: {
          travel: { by: 'program', reported: { member: 'travelMm', unit: 'mm' } },
          time: { by: 'program' },
        },
        program: {
          mediaTypes: ['text/x-gcode'],
          bytesMax: 10_485_760,
          axes: {
            x: { min: '-150', max: '150', unit: 'mm' },
            y: { min: '-100', max: '100', unit: 'mm' },
            z: { min: '-50', max: '50', unit: 'mm' },
          },
          machine: {
            dialect: 'rs274',
            startUp: 'G54 G92.1 G49 G91.1 G94 G97 G98',
            motion: {
              x: { ratePerMin: 12_000, accelerationPerS2: 500 },
              y: { ratePerMin: 12_000, accelerationPerS2: 500 },
              z: { ratePerMin: 6_000, accelerationPerS2: 300 },
            },
            // The vice stands where the machine's own origin is.
            workOffsets: { 1: { x: 0, y: 0, z: 0 } },
          },
          limits: { time: { max: '4', unit: 'h' } },
        },
      },
    },
  },
}

function quantity(min: string, max: string, unit: string, required: boolean, decimals: number) {
  return { kind: 'quantity' as const, limits: { min, max, unit }, required, decimals }
}

/** A device's control entry for the TPM that was found under it, where nobody appraises it. */
export function deviceEntry(device: string, tpm: DeviceTpm, now: number): DeviceEntry {
  const appraised = { appraisedAt: now, appraisalAgeMsMax: APPRAISAL_AGE_MS_MAX }
  return { ...withoutAttestation(device), attestation: { kind: 'tpm', ...tpm, pcrs: [...tpm.pcrs], ...appraised } }
}

/** What an operator admits a device by; the registry adds what its evidence says. `attestationAgeMsMax` in milliseconds. */
export function admittedDevice(device: string, attestationAgeMsMax: number): NonNullable<Admission['device']> {
  return { ...withoutAttestation(device), attestationAgeMsMax }
}

function withoutAttestation(device: string): Omit<DeviceEntry, 'attestation'> {
  const profile = deviceProfiles[device]
  if (!profile) throw new Error(`no device ${device} in the laboratory; there are ${Object.keys(deviceProfiles).join(', ')}`)
  const spiffeId = `spiffe://${laboratory.trustDomain}/device/${device}`
  return { device, spiffeId, ...profile, state: 'active', demandsAssurance: 'software', appraisalAgeMsMax: APPRAISAL_AGE_MS_MAX }
}

/** What a verifier must know of a device's TPM: TPMT_PUBLIC of its attestation key, and the PCRs it quotes. */
export type DeviceTpm = { readonly attestationKey: string; readonly pcrs: readonly number[]; readonly pcrDigest: string }

/** Low risk passes, medium needs one other human, high needs two. */
export const approvalPolicy: ApprovalPolicy = {
  kind: 'approval',
  revision: 'approval-lab-1',
  openRequestsMax: 20,
  rules: [
    {
      device: 'laser-1',
      capability: 'laser.engrave-serial',
      risk: 'any',
      approvals: 1,
      approvers: ['bob', 'carol'],
      expiresMs: 10 * MINUTE_MS,
    },
    ...(['laser-1', 'mill-1'] as const).flatMap((device) =>
      Object.keys(deviceProfiles[device]?.capabilities ?? {}).flatMap((capability) => [
        rule(device, capability, 'low', 0),
        rule(device, capability, 'medium', 1),
        rule(device, capability, 'high', 2),
      ]),
    ),
  ],
}

function rule(device: string, capability: string, risk: 'low' | 'medium' | 'high', approvals: number) {
  return { device, capability, risk, approvals, approvers: ['alice', 'bob', 'carol'], expiresMs: 10 * MINUTE_MS }
}

/** What alice grants the orchestrator for a job: less than the machines could do. */
export const jobGrants: readonly DeviceGrant[] = [
  {
    type: 'interlock_device',
    locations: ['laser-1'],
    actions: ['laser.cut', 'laser.engrave-serial'],
    limits: { power: { min: '1', max: '80', unit: 'W' }, speed: { min: '1', max: '300', unit: 'mm/s' } },
    maxCount: 10_000,
  },
  {
    type: 'interlock_device',
    locations: ['mill-1'],
    actions: ['mill.run-program'],
    limits: { spindle: { min: '0', max: '18000', unit: '/min' }, feed: { min: '1', max: '3000', unit: 'mm/min' } },
    maxCount: 10_000,
  },
]
