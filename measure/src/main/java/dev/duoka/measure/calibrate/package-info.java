/**
 * What this machine can do, measured part by part and never by a model: {@link
 * dev.duoka.measure.calibrate.Calibration} fills a {@link dev.duoka.hardware.MachineProfile}.
 */
package dev.duoka.measure.calibrate;
