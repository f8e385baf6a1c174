import type { Alert } from './records.generated.ts'

/** OCSF 1.8.0 `severity_id` by our name for it. */
const severityIds = { informational: 1, low: 2, medium: 3, high: 4, critical: 5 } as const
export type AlertSeverity = keyof typeof severityIds

export type Finding = {
  /** The same for what is raised again: a reader counts it once. */
  readonly alertId: string
  readonly rule: string
  readonly severity: AlertSeverity
  readonly source: string
  /** Empty where none is concerned. */
  readonly jobId: string
  readonly subject: string
  /** At most a sentence. */
  readonly title: string
  readonly message: string
  /** What the finding rests on, by name. */
  readonly evidence: Readonly<Record<string, string | number>>
  /** Milliseconds since 1970. */
  readonly raisedAt: number
}

/** An alert whose JSON is an OCSF 1.8.0 Detection Finding: class 2004, activity "Create", status "New". */
export function alertOf({ title, evidence, ...flat }: Finding): Alert {
  const { alertId, rule, severity, source, jobId, subject, message, raisedAt } = flat
  const finding = {
    category_uid: 2,
    category_name: 'Findings',
    class_uid: 2004,
    class_name: 'Detection Finding',
    activity_id: 1,
    activity_name: 'Create',
    type_uid: 200_401,
    type_name: 'Detection Finding: Create',
    severity_id: severityIds[severity],
    severity,
    status_id: 1,
    status: 'New',
    time: raisedAt,
    message,
    metadata: {
      version: '1.8.0',
      product: { name: 'Interlock', vendor_name: 'Interlock', feature: { name: source } },
      ...(jobId !== '' && { correlation_uid: jobId }),
    },
    finding_info: {
      uid: alertId,
      title,
      desc: message,
      created_time: raisedAt,
      // OCSF analytic type 1: a rule.
      analytic: { type_id: 1, type: 'Rule', name: rule, uid: rule },
    },
    resources: [{ uid: subject, name: subject }],
    unmapped: evidence,
  }
  return { ...flat, finding: JSON.stringify(finding) }
}
