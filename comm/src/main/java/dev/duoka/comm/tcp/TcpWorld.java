package dev.duoka.comm.tcp;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.comm.Exchange;
import dev.duoka.comm.RankGroup;
import dev.duoka.comm.tcp.Endpoint.View;
import dev.duoka.comm.tcp.Frame.Kind;
import dev.duoka.ffi.torch.HostMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * All ranks of a run as one process sees them: its own, the connections to the others, the one lock
 * under which its ranks wait, and the reason why all exchange has ended, if it has.
 */
final class TcpWorld implements AutoCloseable {
  /** How long the processes tell each other what they have noticed, before one reason stands. */
  private static final Duration SETTLING = Duration.ofMillis(300);

  /** A piece that has not got further for so long stands still. */
  private static final Duration STANDSTILL = Duration.ofSeconds(1);

  /** How long a process that is done waits for the others to have read its last words. */
  private static final Duration LINGERING = Duration.ofSeconds(1);

  private static final int LONGEST_TEXT = 4000;

  private final Membership membership;
  private final Duration limit;
  private final Map<Integer, Link> links = new HashMap<>();
  private final Map<Integer, Endpoint> endpoints = new HashMap<>();
  private final Map<Long, Pull> pulls = new HashMap<>();
  private final PeerViews views;
  private final TreeSet<Integer> finished = new TreeSet<>();
  private final Renewal renewal;
  private boolean connectionEnded;
  private @Nullable Verdict verdict;
  private long lastRequest;
  private int copies;
  private boolean closing;

  /**
   * The world of a process that is connected with all others.
   *
   * @param channels the connections, by the number of the process
   * @param limit how long a rank waits without any progress
   */
  TcpWorld(Membership membership, Map<Integer, SocketChannel> channels, Duration limit) {
    this.membership = membership;
    this.limit = limit;
    this.views = new PeerViews(membership);
    Peer own = membership.own();
    this.renewal = new Renewal(membership.peers().size(), own.ranks());
    for (int i = 0; i < own.ranks(); i++) {
      endpoints.put(own.firstRank() + i, new Endpoint(own.firstRank() + i));
    }
    channels.forEach(
        (process, channel) ->
            links.put(process, new Link(this, membership.peers().get(process), channel)));
  }

  /** Begins to read and write. */
  void start() {
    links.values().forEach(Link::start);
  }

  Membership membership() {
    return membership;
  }

  Endpoint endpoint(int rank) {
    return Objects.requireNonNull(endpoints.get(rank));
  }

  /** The group of all ranks. */
  Group all() {
    return new Group(0, RankGroup.WORLD, IntStream.range(0, membership.ranks()).boxed().toList());
  }

  boolean isHere(int rank) {
    return endpoints.containsKey(rank);
  }

  // Waiting and the end.

  /**
   * Waits until nobody is missing. The caller holds this object's lock.
   *
   * @param call in which the rank waits
   * @param missing the world's numbers of the ranks that it waits for
   * @throws DuokaException when the exchange has ended, or a missing rank has finished or let the
   *     limit pass
   */
  void await(Endpoint rank, Exchange call, Supplier<List<Integer>> missing) {
    rank.waitsIn(call, missing);
    try {
      long start = System.nanoTime();
      Inquiry inquiry = null;
      while (true) {
        List<Integer> others = missing.get();
        if (others.isEmpty()) {
          return;
        }
        throwIfBroken();
        requirePresent(rank, call, others);
        long waited = System.nanoTime() - Math.max(start, rank.lastProgress());
        long asking = limit.toNanos() / 4 * 3;
        if (waited < asking) {
          inquiry = null;
        } else {
          if (inquiry == null) {
            inquiry = new Inquiry(this, rank.rank(), others.getFirst());
          }
          inquiry.follow();
          if (waited >= limit.toNanos()) {
            throw lose(rank.rank(), inquiry.text(call, others.getFirst(), limit));
          }
        }
        wait(Math.max(1, ((inquiry == null ? asking : limit.toNanos()) - waited) / 1_000_000));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      DuokaException interrupted =
          new DuokaException(
              ErrorCode.RANK_LOST, "a rank was interrupted while it waited for the others", "", e);
      fail(rank.rank(), interrupted);
      throw interrupted;
    } finally {
      rank.goesOn();
    }
  }

  private void requirePresent(Endpoint rank, Exchange call, List<Integer> others) {
    for (int other : others) {
      if (finished.contains(other)) {
        throw lose(
            rank.rank(),
            "rank "
                + other
                + " has finished, but rank "
                + rank.rank()
                + " waits for it in "
                + call);
      }
    }
  }

  /** A rank makes a call that another communicator carries out. */
  synchronized void notes(Endpoint rank, Exchange call) {
    rank.calls(call);
  }

  /** Asks what a rank is doing; the number of the question. */
  long ask(int rank) {
    long question = ++lastRequest;
    Endpoint here = endpoints.get(rank);
    if (here == null) {
      send(Frame.about(Kind.QUESTION, -1, rank, question, 0, ""));
    } else {
      views.answered(question, here.view());
    }
    return question;
  }

  /** What is known of the ranks of other processes. */
  PeerViews views() {
    return views;
  }

  /**
   * A rank has noticed that the run cannot go on: ends all exchange, and gives what it is to throw.
   */
  synchronized DuokaException lose(int rank, String text) {
    adopt(verdict(rank, text, false, false, null));
    settle();
    return Objects.requireNonNull(verdict).stop();
  }

  /**
   * A rank ends with {@code cause}; on return nobody touches the tensors of this process. What it
   * ends with says more than the reason it gave before.
   */
  synchronized void fail(int rank, Throwable cause) {
    fails(rank, cause, false);
  }

  /** As {@link #fail}, but the rank may begin again, or end with what it makes of the failure. */
  synchronized void failsIn(int rank, Throwable cause) {
    fails(rank, cause, true);
  }

  private void fails(int rank, Throwable cause, boolean saysMore) {
    if (verdict == null || !verdict.isCauseOf(rank, cause)) {
      adopt(verdict(rank, text(cause), true, saysMore, cause));
    }
    settle();
  }

  /** A rank ends all exchange; on return nobody touches the tensors of this process. */
  synchronized void abort(int rank, String reason) {
    if (verdict == null) {
      adopt(verdict(rank, reason, true, true, null));
    }
    settle();
  }

  // Beginning again.

  /** How often exchange has begun again. */
  synchronized long beginnings() {
    return renewal.rounds();
  }

  /** As {@link dev.duoka.comm.Communicator#renew}. */
  synchronized boolean renew(Endpoint rank, @Nullable Throwable own, boolean willing) {
    if (own != null) { // the others come when they know; the rank may still say more
      adopt(verdict(rank.rank(), text(own), true, true, own));
    }
    if (verdict != null) {
      settle();
    }
    Verdict reason = verdict;
    if (reason == null || !reason.own() || renewal.isOver()) {
      endRenewal(); // who is lost does not come
      return false;
    }
    long before = renewal.rounds();
    if (renewal.arrives(new Renewal.Word(willing, own != null))) {
      Renewal.Word word = renewal.here();
      tellAll(Frame.about(Kind.RENEWED, membership.own().firstRank(), -1, word.encoded(), 0, ""));
      saidToRenew(membership.self(), word);
    }
    long start = System.nanoTime();
    awaitInAnyCase(
        () -> {
          if (renewal.isOver() || renewal.rounds() != before) {
            return true;
          }
          if (System.nanoTime() - start >= limit.toNanos()) {
            endRenewalWithout(rank.rank());
          } else if (connectionEnded || !finished.isEmpty()) {
            endRenewal();
          }
          return renewal.isOver() || renewal.rounds() != before;
        });
    return renewal.rounds() != before;
  }

  private void saidToRenew(int process, Renewal.Word word) {
    renewal.said(process, word);
    if (!renewal.isComplete()) {
      return;
    }
    if (connectionEnded) {
      renewal.end(); // whatever it has said before
    } else if (renewal.decide()) {
      // Nobody touches tensors of this process: all of its ranks have waited for that.
      pulls.clear();
      endpoints.values().forEach(Endpoint::beginAgain);
      verdict = null;
    }
    release();
  }

  /**
   * A rank has waited for others to begin again. Those may do so yet, when the last one comes, for
   * this process has said that it would: they are told why it does not.
   */
  private void endRenewalWithout(int waiting) {
    Verdict failed = Objects.requireNonNull(verdict);
    String text =
        (failed.own() ? "rank " + failed.rank() + " failed (" + failed.text() + ")" : failed.text())
            + ", and rank "
            + waiting
            + " has waited "
            + Inquiry.seconds(limit)
            + " for "
            + membership.peers().get(renewal.firstMissing())
            + " to begin again";
    verdict = null; // also if it is final: nobody knew of this then
    adopt(verdict(failed.rank(), text, false, failed.aborted(), failed.cause()));
    endRenewal();
  }

  private void endRenewal() {
    renewal.end();
    release();
  }

  /** Takes what was held, in its order. */
  private void release() {
    for (Renewal.Held next : renewal.release()) {
      try {
        receive(next.link(), next.frame());
      } catch (IOException e) {
        ended(next.link(), e);
      }
    }
    notifyAll();
  }

  private static String text(Throwable cause) {
    String message = cause.getMessage();
    return message == null ? cause.toString() : message;
  }

  private static Verdict verdict(
      int rank, String text, boolean own, boolean aborted, @Nullable Throwable cause) {
    String shown = text.length() > LONGEST_TEXT ? text.substring(0, LONGEST_TEXT) + "..." : text;
    return new Verdict(rank, shown, own, aborted, cause, System.nanoTime() + SETTLING.toNanos());
  }

  /** Takes a reason over if there is none, or it goes before the one there is. */
  private void adopt(Verdict candidate) {
    Verdict before = verdict;
    if (before == null
        || (candidate.precedes(before)
            && (System.nanoTime() < before.settled() || candidate.rank() == before.rank()))) {
      verdict = before == null ? candidate : candidate.settledAt(before.settled());
      tellAll(
          Frame.about(
              Kind.FAILED,
              candidate.rank(),
              -1,
              candidate.own() ? 1 : 0,
              candidate.aborted() ? 1 : 0,
              candidate.text()));
      notifyAll();
    }
  }

  private void tellAll(Frame frame) {
    links.values().forEach(link -> link.send(frame));
  }

  /** Waits until the reason is final and nobody touches the tensors of this process. */
  private void settle() {
    Verdict last = Objects.requireNonNull(verdict);
    awaitInAnyCase(() -> System.nanoTime() >= last.settled());
    long end = System.nanoTime() + limit.toNanos();
    boolean moving = true;
    while (moving && mayRenew() && System.nanoTime() < end) { // which needs these connections
      moving = getFurther();
    }
    // Whoever does not take or give a piece within this time stands still.
    links.values().stream().filter(Link::touches).forEach(Link::abandon);
    awaitInAnyCase(() -> copies == 0 && links.values().stream().noneMatch(Link::touches));
  }

  private boolean mayRenew() {
    return verdict != null && verdict.own() && !renewal.isOver() && !connectionEnded;
  }

  /** Whether pieces are on their way, and each gets further within a while, for which it waits. */
  private boolean getFurther() {
    Map<Link, Long> before = new HashMap<>();
    links.values().stream().filter(Link::touches).forEach(link -> before.put(link, link.moved()));
    BooleanSupplier further =
        () ->
            before.entrySet().stream()
                .allMatch(at -> !at.getKey().touches() || at.getKey().moved() > at.getValue());
    long end = System.nanoTime() + STANDSTILL.toNanos();
    awaitInAnyCase(() -> further.getAsBoolean() || System.nanoTime() >= end);
    return !before.isEmpty() && further.getAsBoolean();
  }

  private void awaitInAnyCase(BooleanSupplier condition) {
    boolean interrupted = false;
    while (!condition.getAsBoolean()) {
      try {
        wait(SETTLING.toMillis() / 10);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void throwIfBroken() {
    if (verdict != null) {
      settle();
      throw verdict.stop();
    }
  }

  /** Whether all exchange has ended, for whatever reason. */
  synchronized boolean isBroken() {
    return verdict != null;
  }

  /** Why all exchange has ended; null while it may go on, or the reason is not final yet. */
  synchronized @Nullable Throwable failure() {
    Verdict last = verdict;
    return last == null || System.nanoTime() < last.settled() ? null : last.failure();
  }

  /** As {@link #failure}, but waits until the reason is final. */
  synchronized @Nullable Throwable finalFailure() {
    if (verdict == null) {
      return null;
    }
    settle();
    return Objects.requireNonNull(verdict).failure();
  }

  /** A rank of this process is done: who waits for it would do so for ever. */
  synchronized void finish(int rank) {
    finished.add(rank);
    tellAll(Frame.about(Kind.FINISHED, rank, -1, 0, 0, ""));
    notifyAll();
  }

  // Exchange.

  /** Shows a rank's memory to others: what each needs of it. */
  synchronized void offer(Endpoint rank, Slot slot, int to, Offer offer) {
    throwIfBroken();
    Endpoint here = endpoints.get(to);
    if (here == null) {
      send(Frame.of(Kind.OFFER, slot, rank.rank(), to, ByteBuffer.wrap(offer.encoded())));
    } else {
      offered(here, new Slot(slot.group(), slot.number(), slot.message(), rank.rank()), offer);
    }
  }

  private void offered(Endpoint to, Slot slot, Offer offer) {
    to.offers.put(slot, offer);
    Reception reception = to.receptions.remove(slot);
    if (reception != null) {
      reception.offered(offer);
    }
    notifyAll();
  }

  /** Keeps memory open to others, until they are done. */
  synchronized Window open(
      Endpoint rank, Slot slot, HostMemory memory, Collection<Integer> readers) {
    throwIfBroken();
    Window window = new Window(rank, memory, readers);
    rank.windows.put(slot, window);
    return window;
  }

  /** Sends a frame to a rank, also of this process. */
  synchronized void send(Frame frame) {
    Endpoint here = endpoints.get(frame.to());
    if (here == null) {
      Objects.requireNonNull(links.get(membership.holder(frame.to()).process())).send(frame);
    } else {
      handle(frame, here);
    }
  }

  /**
   * Fetches a stretch of what another rank offers. From a rank of this process it is there on
   * return; then the caller must not hold the lock.
   *
   * @param slot of the offer, as the receiver finds it
   * @param offset in the other rank's memory
   */
  Pull pull(Endpoint to, Slot slot, long offset, HostMemory target) {
    Pull pull = new Pull(to, slot.peer(), target);
    if (isHere(slot.peer())) {
      copy(pull, slot, offset);
    } else {
      synchronized (this) {
        throwIfBroken();
        if (target.byteSize() > 0) {
          long request = ++lastRequest;
          pulls.put(request, pull);
          send(Frame.pull(slot, to.rank(), slot.peer(), request, offset, target.byteSize()));
        }
      }
    }
    return pull;
  }

  private void copy(Pull pull, Slot slot, long offset) {
    Endpoint source = endpoint(slot.peer());
    HostMemory from;
    synchronized (this) {
      throwIfBroken();
      Window window = source.windows.get(key(slot, pull.owner().rank()));
      if (window == null) {
        throw lose(
            pull.owner().rank(),
            "rank " + slot.peer() + " has finished, but rank " + pull.owner().rank() + " reads it");
      }
      from = window.stretch(offset, pull.target().byteSize());
      copies++;
    }
    try {
      pull.target().copyFrom(from);
    } finally {
      synchronized (this) {
        copies--;
        notifyAll();
      }
    }
    synchronized (this) {
      pull.received(pull.target().byteSize());
      notifyAll();
    }
  }

  /** Where the owner of a window has it. */
  private static Slot key(Slot slot, int reader) {
    return new Slot(slot.group(), slot.number(), slot.message(), slot.message() ? reader : -1);
  }

  // What the connections report.

  /** A frame has come. */
  synchronized void receive(Link link, Frame frame) throws IOException {
    if (renewal.holds(link, frame)) {
      return;
    }
    switch (frame.kind()) {
      case FAILED ->
          adopt(verdict(frame.from(), frame.text(), frame.first() == 1, frame.second() == 1, null));
      case FINISHED -> finished.add(frame.from());
      case RENEWED -> saidToRenew(link.peer().process(), Renewal.Word.decoded(frame.first()));
      case ANSWER -> views.answered(frame.first(), new View(frame.text(), (int) frame.second()));
      case QUESTION -> {
        View view = endpoint(frame.to()).view();
        link.send(Frame.about(Kind.ANSWER, -1, -1, frame.first(), view.waitsFor(), view.text()));
      }
      case OFFER -> {
        Offer offer = Offer.decoded(frame.body().array());
        views.called(frame.from(), offer.exchange());
        offered(endpoint(frame.to()), frame.slot(frame.from()), offer);
      }
      case PULL -> {
        ByteBuffer range = frame.body().duplicate();
        Slot slot = key(frame.slot(frame.to()), frame.from());
        Window window = endpoint(frame.to()).windows.get(slot);
        if (window != null) { // else its rank has finished, and its process says so
          link.send(window, frame.first(), range.getLong(), range.getLong());
        }
      }
      case READY, DONE -> handle(frame, endpoint(frame.to()));
      case DATA -> throw new IOException("a piece of data out of place");
    }
    notifyAll();
  }

  private void handle(Frame frame, Endpoint to) {
    if (frame.kind() == Kind.READY) {
      to.ready.add(frame.slot(frame.from()));
    } else {
      Window window = to.windows.get(key(frame.slot(frame.to()), frame.from()));
      if (window != null) {
        window.done(frame.from());
      }
    }
    notifyAll();
  }

  /** Whether a connection may read from a rank's tensor now. */
  synchronized boolean startSending(Link link, Window window) {
    if (verdict != null || window.isForgotten()) {
      return false;
    }
    link.touch(1);
    return true;
  }

  synchronized void endSending(Link link, Window window) {
    link.touch(-1);
    window.owner().progressed();
    notifyAll();
  }

  /** Where a piece goes to; null if nobody wants it any more. */
  synchronized @Nullable Pull startReceiving(Link link, long request) {
    Pull pull = pulls.get(request);
    if (verdict != null || pull == null || !link.peer().holds(pull.source())) {
      return null;
    }
    link.touch(1);
    return pull;
  }

  synchronized void endReceiving(Link link, long request, Pull pull, long bytes) {
    link.touch(-1);
    pull.owner().progressed();
    if (bytes > 0) {
      pull.received(bytes);
      if (pull.isDone()) {
        pulls.remove(request);
      }
    }
    notifyAll();
  }

  /**
   * A connection has ended. Of a process whose ranks have not all finished, or said why they stop,
   * the ranks are lost.
   */
  synchronized void ended(Link link, @Nullable Throwable cause) {
    String problem =
        cause == null || cause.getMessage() == null ? "" : " (" + cause.getMessage() + ")";
    ended(link, link.peer() + " has closed its connection" + problem);
  }

  private void ended(Link link, String what) {
    connectionEnded = true;
    Peer peer = link.peer();
    List<Integer> lost = new ArrayList<>();
    for (int i = 0; i < peer.ranks(); i++) {
      if (!finished.contains(peer.firstRank() + i)) {
        lost.add(peer.firstRank() + i);
      }
    }
    if (closing || verdict != null || lost.isEmpty() || finished.containsAll(endpoints.keySet())) {
      notifyAll();
      return;
    }
    Endpoint reporter = reporter();
    adopt(
        verdict(
            reporter.rank(),
            (lost.size() == 1 ? "rank " + lost.getFirst() + " is" : "ranks " + lost + " are")
                + " lost: "
                + what
                + "; rank "
                + reporter.rank()
                + " "
                + reporter.view().text()
                + views.lastCall(lost.getFirst()),
            false,
            false,
            null));
  }

  /** Nothing can be written to a connection, though the other side has not ended it. */
  synchronized void unwritable(Link link, IOException cause) {
    Peer peer = link.peer();
    ended(
        link, "nothing can be written to the connection with " + peer + ": " + IoReason.of(cause));
  }

  /** The first rank of this process that waits, or else the first that has not finished. */
  private Endpoint reporter() {
    List<Endpoint> here =
        endpoints.values().stream()
            .filter(endpoint -> !finished.contains(endpoint.rank()))
            .sorted((a, b) -> Integer.compare(a.rank(), b.rank()))
            .toList();
    return here.stream()
        .filter(endpoint -> endpoint.waitsIn() != null)
        .findFirst()
        .orElse(here.getFirst());
  }

  /** Says the last words and closes all connections. */
  @Override
  public void close() {
    synchronized (this) {
      closing = true;
    }
    links.values().forEach(Link::finish);
    long end = System.nanoTime() + LINGERING.toNanos();
    for (Link link : links.values()) {
      try {
        link.close(end);
      } catch (InterruptedException e) {
        link.abandon();
        Thread.currentThread().interrupt();
      }
    }
  }
}
