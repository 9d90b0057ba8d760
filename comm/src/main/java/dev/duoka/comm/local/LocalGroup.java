package dev.duoka.comm.local;

import dev.duoka.comm.Exchange;
import dev.duoka.comm.RankGroup;
import dev.duoka.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What the ranks of one group share: the slots in which each shows the others its tensor, the
 * messages on their way, and how many have arrived at the next meeting.
 */
final class LocalGroup {
  /** What a rank shows the others during a collective. */
  static final class Slot implements AutoCloseable {
    @Nullable Tensor tensor;
    long[] rows = {};
    double[] numbers = {};
    int[] colorAndKey = {};

    /** What the rank calls; two, because a rank may be one call ahead of another. */
    final @Nullable Exchange[] calls = new @Nullable Exchange[2];

    /** Where the rank's stream has what is shown. */
    final StreamMark ready = new StreamMark();

    /** Where the rank's stream has read what the others show. */
    final StreamMark done = new StreamMark();

    @Override
    public void close() {
      ready.close();
      done.close();
    }
  }

  /** What one rank sends to another, each message under its number. */
  private static final class Mailbox {
    final Map<Long, Message> arrived = new HashMap<>();
    long posted;
    long expected;
  }

  private final LocalWorld world;
  private final RankGroup ranks;
  private final List<Integer> members;
  private final List<Slot> slots;
  private final Map<Integer, Mailbox> mailboxes = new HashMap<>();
  private final Map<Integer, LocalGroup> children = new HashMap<>();
  private int arrived;

  /** How many ranks still read what the others show. */
  private int readers;

  private long generation;
  private final AtomicInteger beginnings = new AtomicInteger();

  /**
   * A group.
   *
   * @param ranks as messages name it
   * @param members the world's numbers of its ranks, in the order of the group
   */
  private LocalGroup(LocalWorld world, RankGroup ranks, List<Integer> members) {
    this.world = world;
    this.ranks = ranks;
    this.members = List.copyOf(members);
    List<Slot> empty = new ArrayList<>();
    members.forEach(_ -> empty.add(new Slot()));
    slots = List.copyOf(empty);
    world.closeAtTheEnd(slots);
    world.add(this);
  }

  static LocalGroup ofWorld(LocalWorld world, int size) {
    return new LocalGroup(world, RankGroup.WORLD, IntStream.range(0, size).boxed().toList());
  }

  /**
   * All exchange begins again: nobody is in it, and nothing is on its way. The caller holds the
   * world's lock.
   */
  void beginAgain() {
    arrived = 0;
    readers = 0;
    generation++;
    beginnings.incrementAndGet();
    mailboxes.clear();
    children.clear();
  }

  /** How often it has begun again. */
  int beginnings() {
    return beginnings.get();
  }

  LocalWorld world() {
    return world;
  }

  RankGroup ranks() {
    return ranks;
  }

  int size() {
    return slots.size();
  }

  /** The world's number of a rank of this group. */
  int member(int rank) {
    return members.get(rank);
  }

  Slot slot(int rank) {
    return slots.get(rank);
  }

  /** Waits in a call until all ranks of the group are here, of which {@code rank} comes now. */
  void meet(int rank, Exchange call) {
    synchronized (world) {
      world.throwIfBroken();
      long mine = generation;
      if (++arrived == slots.size()) {
        arrived = 0;
        generation++;
        world.notifyAll();
        return;
      }
      world.await(members.get(rank), call, members, () -> generation != mine);
    }
  }

  /** As {@link #meet}; from then on the rank reads what the others show, until it has left. */
  void meetToRead(int rank, Exchange call) {
    synchronized (world) {
      // Counted before the meeting: once it is over, who fails must see all who may read.
      readers++;
      try {
        meet(rank, call);
      } catch (Throwable t) {
        leave();
        throw t;
      }
    }
  }

  /** A rank reads nothing of the others any more. */
  void leave() {
    synchronized (world) {
      readers--;
      if (readers == 0 && world.failure() != null) {
        world.notifyAll(); // only who has failed waits for readers
      }
    }
  }

  /**
   * A rank has failed while all read: ends all exchange, and waits until nobody reads what this
   * rank shows, since its tensors go when it unwinds.
   */
  void leaveBecauseOf(int rank, Throwable cause) {
    synchronized (world) {
      world.breakBecauseOf(members.get(rank), cause);
      leave();
      world.awaitInAnyCase(() -> readers == 0);
    }
  }

  /** Puts a message where its receiver finds it. */
  void post(int from, int to, Message message) {
    synchronized (world) {
      world.throwIfBroken();
      Mailbox mailbox = mailbox(from, to);
      mailbox.arrived.put(mailbox.posted++, message);
      world.notifyAll();
    }
  }

  /** The number of the message that the next reception is for: the first for the first. */
  long expect(int from, int to) {
    synchronized (world) {
      return mailbox(from, to).expected++;
    }
  }

  /** Whether the message of this number is there. */
  boolean hasMessage(int from, int to, long number) {
    synchronized (world) {
      return mailbox(from, to).arrived.containsKey(number);
    }
  }

  /**
   * Waits for the message of this number. The caller copies it and then calls {@link
   * LocalWorld#endCopyFrom}; a sender that aborts waits for that.
   */
  Message take(int from, int to, long number, Exchange call) {
    synchronized (world) {
      Mailbox mailbox = mailbox(from, to);
      world.throwIfBroken();
      world.await(
          members.get(to),
          call,
          List.of(members.get(from)),
          () -> mailbox.arrived.containsKey(number));
      world.throwIfBroken();
      world.startCopyFrom(members.get(from));
      return Objects.requireNonNull(mailbox.arrived.remove(number));
    }
  }

  /** The group that the ranks of a color form: the same object for all of them. */
  LocalGroup child(int color, String childName, List<Integer> childMembers) {
    synchronized (world) {
      return children.computeIfAbsent(
          color, _ -> new LocalGroup(world, new RankGroup(childName, childMembers), childMembers));
    }
  }

  /** Forgets the groups of the last split, which all ranks have by now. */
  void forgetChildren() {
    synchronized (world) {
      children.clear();
    }
  }

  private Mailbox mailbox(int from, int to) {
    return mailboxes.computeIfAbsent(from * slots.size() + to, _ -> new Mailbox());
  }
}
