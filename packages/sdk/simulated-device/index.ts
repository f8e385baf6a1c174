export { bootPcrs, measureBoot, readDeviceTpm } from './measured-boot.ts'
export { startSimulatedDevice } from './simulated-device.ts'
