/**
 * Whole training steps on random tokens: {@link dev.duoka.measure.step.StepBenchmark} times them
 * and counts their memory, {@link dev.duoka.measure.step.LayerActivations} counts what a forward
 * pass leaves behind.
 */
package dev.duoka.measure.step;
