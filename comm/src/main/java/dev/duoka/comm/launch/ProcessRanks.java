package dev.duoka.comm.launch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.Uninterruptibly;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.RankBody;
import dev.duoka.comm.SingleRank;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.comm.tcp.Membership;
import dev.duoka.comm.tcp.Peer;
import dev.duoka.comm.tcp.RunSecret;
import dev.duoka.comm.tcp.TcpRanks;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The ranks of a process, alone or among those of other processes, which have met when it is made.
 * Before the ranks run, the processes can prepare together: {@link #leads} is what they agree by,
 * and {@link #during} lets them wait for each other as long as they live. Owns the connections. One
 * thread.
 *
 * <pre>{@code
 * try (ProcessRanks processes = ProcessRanks.join(place, ranks, meeting, limit, terms, "")) {
 *   Data data = processes.during(() -> prepare());
 *   processes.run(ledgers, rank -> ...);
 * }
 * }</pre>
 */
public final class ProcessRanks implements AutoCloseable {
  /** How often processes tell each other that they still prepare. */
  private static final long PULSE_MILLISECONDS = 100;

  private final ProcessPlace place;
  private final RankRange ranks;
  private final String word;
  private final Neighbours neighbours;
  private final Duration limit;
  private final @Nullable TcpRanks others;
  private final Communicator leads;

  private ProcessRanks(
      ProcessPlace place,
      RankRange ranks,
      String word,
      Neighbours neighbours,
      @Nullable TcpRanks others,
      Duration limit) {
    this.limit = limit;
    this.place = place;
    this.ranks = ranks;
    this.word = word;
    this.neighbours = neighbours;
    this.others = others;
    this.leads = others == null ? new SingleRank("processes") : others.leads();
  }

  /**
   * Meets the other processes and connects with them; at once for a process that is alone.
   *
   * @param place of this process
   * @param ranks those of this process
   * @param meeting how long to wait until all processes have come and are connected
   * @param limit how long a rank waits for others without any progress
   * @param terms which all must have the same
   * @param word what process 0 tells the others; of the others it does not count
   * @throws DuokaException {@code CONFIG} when another process does not belong to this run, {@code
   *     RANK_LOST} when one does not come
   */
  public static ProcessRanks join(
      ProcessPlace place,
      RankRange ranks,
      Duration meeting,
      Duration limit,
      Terms terms,
      String word) {
    if (place.isAlone()) {
      return new ProcessRanks(place, ranks, word, Neighbours.NONE, null, limit);
    }
    InetSocketAddress own = Rendezvous.bindable(place.rendezvous().orElseThrow(), 0);
    try (ServerSocketChannel listener = ServerSocketChannel.open().bind(own)) {
      Membership membership =
          Rendezvous.join(
              place,
              terms,
              word,
              ranks,
              listener.socket().getLocalPort(),
              meeting,
              RunSecret.of(System.getenv()));
      return new ProcessRanks(
          place,
          ranks,
          membership.word(),
          neighbours(membership),
          TcpRanks.connect(membership, listener, meeting, limit),
          limit);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "this process cannot take connections of the others: " + IoReason.of(e),
          "",
          e);
    }
  }

  private static Neighbours neighbours(Membership membership) {
    List<Peer> here =
        membership.peers().stream()
            .filter(peer -> peer.host().equals(membership.own().host()))
            .toList();
    return new Neighbours(here.indexOf(membership.own()), here.size());
  }

  /** Where this process is among all. */
  public ProcessPlace place() {
    return place;
  }

  /** Whether it is process 0, which writes what there is once. */
  public boolean isFirst() {
    return place.process() == 0;
  }

  /** The ranks of this process. */
  public RankRange ranks() {
    return ranks;
  }

  /** What process 0 has told the others. */
  public String word() {
    return word;
  }

  /** The processes on this machine. */
  public Neighbours neighbours() {
    return neighbours;
  }

  /** One rank of each process, in their order; not while the ranks run. */
  public Communicator leads() {
    return leads;
  }

  /**
   * Does something that may take long and returns when all processes have done theirs. Collective.
   *
   * @throws RuntimeException what the task has thrown; a {@code RANK_LOST} when another process has
   *     failed or is lost
   */
  public <T> T during(Supplier<T> task) {
    if (others == null) {
      return task.get();
    }
    Pulse pulse = new Pulse(leads);
    pulse.start();
    try {
      T result = task.get();
      pulse.done();
      return result;
    } catch (Throwable t) {
      others.fail(t);
      throw t;
    } finally {
      pulse.end();
    }
  }

  /**
   * Runs {@code body} for each rank that this process holds, and returns when they are done. Once.
   *
   * @param ledgers makes each rank's ledger, by its number in the world
   * @throws RuntimeException what ended the run; of another process's rank a {@code RANK_LOST}
   */
  public void run(IntFunction<ExchangeLedger> ledgers, RankBody body) {
    if (others == null) {
      LocalRanks.run(ranks.count(), limit, ledgers, body);
    } else {
      others.run(ledgers, body);
    }
  }

  /** This process cannot go on: tells the others why. */
  public void fail(Throwable cause) {
    if (others != null) {
      others.fail(cause);
    }
  }

  /** Closes the connections. */
  @Override
  public void close() {
    if (others != null) {
      others.close();
    }
  }

  /** Says again and again that this process is there, until all are done. */
  private static final class Pulse {
    private final Communicator leads;
    private final Thread thread;
    private final CountDownLatch done = new CountDownLatch(1);
    private volatile @Nullable RuntimeException failure;

    Pulse(Communicator leads) {
      this.leads = leads;
      thread = Thread.ofPlatform().daemon().name("process-pulse").unstarted(this::beat);
    }

    void start() {
      thread.start();
    }

    private void beat() {
      try {
        while (leads.agreement().any(done.getCount() > 0)) {
          if (done.await(PULSE_MILLISECONDS, TimeUnit.MILLISECONDS)) {
            Thread.sleep(PULSE_MILLISECONDS / 10); // the others are not done
          }
        }
      } catch (RuntimeException e) {
        failure = e;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    /** Returns when all are done. */
    void done() {
      done.countDown();
      end();
      RuntimeException failed = failure;
      if (failed != null) {
        throw failed;
      }
    }

    void end() {
      Uninterruptibly.join(thread);
    }
  }
}
