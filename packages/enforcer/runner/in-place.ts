import type { LogRecord } from '../kafka-port.ts'

/**
 * Whether an answer lies where its writer expected it. Only then was all that lies before it in the writer's memory; an answer that
 * came late (a zombie's), twice, or after somebody else's counts nowhere, and its input is answered anew. Kafka has no
 * compare-and-append: the writer appends, and every reader compares.
 */
export const isInPlace = ({ offset, expectedOffset }: Pick<LogRecord, 'offset' | 'expectedOffset'>): boolean =>
  expectedOffset === undefined || expectedOffset === offset
