/**
 * Exchange between ranks. Knows no model: a rank is a number, and what it exchanges are tensors
 * ({@link dev.duoka.comm.Communicator}) or numbers that only hosts use ({@link
 * dev.duoka.comm.Agreement}).
 */
@NullMarked
package dev.duoka.comm;

import org.jspecify.annotations.NullMarked;
