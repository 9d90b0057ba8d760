/**
 * Ranks that are threads of this process and read each other's tensors directly: on a CPU, on a GPU
 * that they share, or on several GPUs by plain copies. Start with {@link
 * dev.duoka.comm.local.LocalRanks}.
 */
@NullMarked
package dev.duoka.comm.local;

import org.jspecify.annotations.NullMarked;
