/**
 * Memory compared with what is there before any of it is taken: {@link
 * dev.duoka.train.memory.MemoryCheck} is the one place that refuses, {@link
 * dev.duoka.train.memory.StepMemory} counts what a training step needs and what would fit.
 */
package dev.duoka.train.memory;
