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
 * lock for each process ({@link dev.duoka.comm.tcp.TcpWorld}), under which its ranks wait. Ranks
 * come in by the world, threads of connections by {@link dev.duoka.comm.tcp.LinkReports}; both take
 * the lock and call a part, which finds it held:
 *
 * <ul>
 *   <li>exchange: {@link dev.duoka.comm.tcp.Delivery} brings offers and words to the ranks, {@link
 *       dev.duoka.comm.tcp.Transfers} has the stretches on their way, {@link
 *       dev.duoka.comm.tcp.Waiting} is how a rank waits, and {@link dev.duoka.comm.tcp.Inquiry} and
 *       {@link dev.duoka.comm.tcp.PeerViews} what it learns of the others meanwhile;
 *   <li>failures: {@link dev.duoka.comm.tcp.Presence} knows who is done and names who is lost,
 *       {@link dev.duoka.comm.tcp.Ending} has the one reason why exchange has ended ({@link
 *       dev.duoka.comm.tcp.Verdict}), and {@link dev.duoka.comm.tcp.TensorAccess} sees to it that
 *       nobody is at a tensor that a rank is about to free;
 *   <li>beginning again: {@link dev.duoka.comm.tcp.RenewalMeeting} is where ranks come, {@link
 *       dev.duoka.comm.tcp.Renewal} what the processes agree about;
 *   <li>below all: {@link dev.duoka.comm.tcp.Links} to the other processes, {@link
 *       dev.duoka.comm.tcp.Endpoints} of this one's ranks, and {@link
 *       dev.duoka.comm.tcp.WorldLock}, by which parts wait.
 * </ul>
 */
@NullMarked
package dev.duoka.comm.tcp;

import org.jspecify.annotations.NullMarked;
