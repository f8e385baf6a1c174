import type { Receipt } from '@interlock/contracts'
import { Counter, type Registry } from 'prom-client'

/**
 * Counts receipts. A rejected ack or a silent device is an alarm (ATTACKS 98): the reason is then one of ours. What a device says it refused
 * for is its own text and no label: it could make a series of each.
 */
export function receiptCounter(registry: Registry): (receipt: Pick<Receipt, 'result' | 'status' | 'reasons'>) => void {
  const receipts = new Counter({
    name: 'interlock_receipts_total',
    help: 'Acks verified or rejected, and orders that timed out',
    labelNames: ['result', 'status', 'reason'],
    registers: [registry],
  })
  return ({ result, status, reasons }) =>
    receipts.inc({ result, status, reason: result === 'verified' ? '' : (reasons[0] ?? '') })
}
