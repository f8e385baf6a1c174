export const javaVersionMin: number
export function findJava(environment?: NodeJS.ProcessEnv): string | undefined
