/**
 * The devices that a run computes on: {@link dev.duoka.train.device.DevicePlacement} gives each
 * rank one, {@link dev.duoka.train.device.DevicePeak} says what it reaches at best.
 */
package dev.duoka.train.device;
