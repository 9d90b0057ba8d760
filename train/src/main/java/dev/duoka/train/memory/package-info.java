/**
 * Memory compared with what is there before any of it is taken: {@link
 * dev.duoka.train.memory.MemoryCheck} is the one place that refuses, {@link
 * dev.duoka.train.memory.StepMemory} counts what a training step needs and what would fit, and
 * {@link dev.duoka.train.memory.LessMemory} chooses what a run changes that has too little.
 */
package dev.duoka.train.memory;
