import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { type AlertSeverity, alertOf, type Finding } from './detection-finding.ts'

const vectors = process.env.INTERLOCK_VECTORS ?? new URL('../../../shared/vectors', import.meta.url).pathname
const schemaFile = join(vectors, 'ocsf', 'ocsf-1.8.0-detection_finding.schema.json')
if (!existsSync(schemaFile)) console.warn(`LEFT OUT: ${schemaFile} is not there; set INTERLOCK_VECTORS to where the vectors lie`)

const finding = (change: Partial<Finding> = {}): Finding => ({
  alertId: 'A'.repeat(43),
  rule: 'appraisal-overdue',
  severity: 'high',
  source: 'registry',
  jobId: '',
  subject: 'spiffe://lab.example/device/laser-1',
  title: 'A platform was not appraised in time',
  message: 'spiffe://lab.example/device/laser-1 was last found good at 10:00',
  evidence: { appraisedAt: 1_800_000_000_000 },
  raisedAt: 1_800_000_060_000,
  ...change,
})

describe('an alert', () => {
  it('says flat what its finding says in OCSF', () => {
    const alert = alertOf(finding({ jobId: 'job-1' }))
    expect(JSON.parse(alert.finding)).toMatchObject({
      class_uid: 2004,
      severity_id: 4,
      time: alert.raisedAt,
      finding_info: { uid: alert.alertId, analytic: { uid: alert.rule } },
      metadata: { version: '1.8.0', correlation_uid: 'job-1' },
      resources: [{ uid: alert.subject }],
      unmapped: { appraisedAt: 1_800_000_000_000 },
    })
  })

  describe.skipIf(!existsSync(schemaFile))('by the schema that OCSF 1.8.0 publishes', () => {
    let valid: ValidateFunction
    beforeAll(() => {
      valid = new Ajv2020({ strict: false, allErrors: true }).compile(JSON.parse(readFileSync(schemaFile, 'utf8')))
    })

    it.each<AlertSeverity>(['informational', 'low', 'medium', 'high', 'critical'])('is a Detection Finding: %s', (severity) => {
      for (const jobId of ['', 'job-1']) {
        valid(JSON.parse(alertOf(finding({ severity, jobId })).finding))
        expect(valid.errors).toBeNull()
      }
    })

    it('would not be one with a member that OCSF does not know', () =>
      expect(valid({ ...JSON.parse(alertOf(finding()).finding), verdict: 'bad' })).toBe(false))
  })
})
