/**
 * Ranks in several processes, which exchange over TCP. Start with {@link
 * dev.duoka.comm.tcp.TcpRanks}.
 *
 * <p>Nobody sends a tensor to where it is not expected. A rank <em>offers</em> what the others need
 * of it ({@link dev.duoka.comm.tcp.Offer}), small things at once and of large ones only their size;
 * those who need them <em>pull</em> stretches straight into their tensors ({@link
 * dev.duoka.comm.tcp.Pull}). So a connection is never blocked by data for which there is no place
 * yet, differing calls are found before anything moves, and the same code serves ranks of one
 * process, which copy from each other's memory instead.
 *
 * <p>There is one connection for each pair of processes ({@link dev.duoka.comm.tcp.Link}), and one
 * lock for each process ({@link dev.duoka.comm.tcp.TcpWorld}), under which its ranks wait.
 */
@NullMarked
package dev.duoka.comm.tcp;

import org.jspecify.annotations.NullMarked;
