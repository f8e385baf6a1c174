import { Counter, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { listen, operationsApp } from './http.ts'

test('is healthy at once, and ready only when memory is restored', async () => {
  let isReady = false
  const app = operationsApp(new Registry(), () => isReady)
  expect((await app.request('/healthz')).status).toBe(200)
  expect((await app.request('/readyz')).status).toBe(503)
  isReady = true
  expect((await app.request('/readyz')).status).toBe(200)
})

test('shows its counters where Prometheus looks, on any free port', async () => {
  const metrics = new Registry()
  new Counter({ name: 'interlock_trials_total', help: 'trials', registers: [metrics] }).inc(3)
  const { server, port } = await listen(
    operationsApp(metrics, () => true),
    '127.0.0.1',
    0,
  )
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
    expect(answer.headers.get('content-type')).toContain('text/plain')
    expect(await answer.text()).toContain('interlock_trials_total 3')
  } finally {
    server.close()
  }
})
