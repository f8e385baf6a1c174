export * from './processor.ts'
export * from './stage.ts'
