/**
 * Exchange between ranks. Knows no model: a rank is a number, and what it exchanges are tensors
 * ({@link dev.duoka.comm.Communicator}) or numbers that only hosts use ({@link
 * dev.duoka.comm.Agreement}).
 *
 * <p>Read {@link dev.duoka.comm.Communicator} and {@link dev.duoka.comm.Pending} first. Ranks of
 * this process are in {@link dev.duoka.comm.local}, of several processes in {@link
 * dev.duoka.comm.tcp} (started by {@link dev.duoka.comm.launch}), those of a dry run in {@link
 * dev.duoka.comm.meta}.
 */
@NullMarked
package dev.duoka.comm;

import org.jspecify.annotations.NullMarked;
