/**
 * Whole training steps on random tokens: {@link dev.duoka.measure.step.StepBenchmark} times them
 * and counts their memory, {@link dev.duoka.measure.step.MeshStepSpeed} does so for all ranks of a
 * mesh, {@link dev.duoka.measure.step.LayerActivations} counts what a forward pass leaves behind,
 * {@link dev.duoka.measure.step.StepFloor} is the least work of a step, {@link
 * dev.duoka.measure.step.MemoryComparison} and {@link dev.duoka.measure.step.LayoutMemory} set
 * predicted memory beside counted.
 */
package dev.duoka.measure.step;
