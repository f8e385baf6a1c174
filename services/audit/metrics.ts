import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** What audit tells Prometheus. */
export function auditMetrics(registry: Registry) {
  const registers = [registry]
  return {
    rows: new Counter({ name: 'interlock_audit_rows_total', help: 'Rows inserted', labelNames: ['table'], registers }),
    insertSeconds: new Histogram({
      name: 'interlock_audit_insert_seconds',
      help: 'Time of an insert until it lies on disk',
      registers,
    }),
    unreadable: new Counter({
      name: 'interlock_audit_unreadable_total',
      help: 'Records that audit could not decode; kept whole in the table deadletters',
      labelNames: ['topic', 'reason'],
      registers,
    }),
    mended: new Counter({
      name: 'interlock_audit_mended_rows_total',
      help: 'Rows that ClickHouse had taken for inserted and had not kept',
      labelNames: ['table'],
      registers,
    }),
    lost: new Counter({
      name: 'interlock_audit_lost_records_total',
      help: 'Records that retention removed before they were audited',
      labelNames: ['topic'],
      registers,
    }),
    lag: new Gauge({
      name: 'interlock_audit_lag_records',
      help: 'Records not yet taken of a partition',
      labelNames: ['topic', 'partition'],
      registers,
    }),
    unanswered: new Gauge({
      name: 'interlock_unanswered_records',
      help: 'Intents, ALLOWs and orders of the last hour that stayed without their successor',
      labelNames: ['kind'],
      registers,
    }),
  }
}
