/**
 * How the processes of a run find each other: a process reads its place from its environment
 * ({@link dev.duoka.comm.launch.ProcessPlace}), registers with the first one ({@link
 * dev.duoka.comm.launch.Rendezvous}), and runs its ranks ({@link
 * dev.duoka.comm.launch.ProcessRanks}).
 */
@NullMarked
package dev.duoka.comm.launch;

import org.jspecify.annotations.NullMarked;
