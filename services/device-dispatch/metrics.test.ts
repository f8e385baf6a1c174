import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { receiptCounter } from './metrics.ts'

test('counts receipts by reasons that are ours, never by a device’s words', async () => {
  const registry = new Registry()
  const count = receiptCounter(registry)
  count({ result: 'rejected', status: 'completed', reasons: ['quote-signature-invalid'] })
  count({ result: 'verified', status: 'refused', reasons: ['whatever the device says'] })
  const text = await registry.metrics()
  expect(text).toContain('interlock_receipts_total{result="rejected",status="completed",reason="quote-signature-invalid"} 1')
  expect(text).toContain('interlock_receipts_total{result="verified",status="refused",reason=""} 1')
})
