package dev.duoka.comm.local;

import dev.duoka.comm.Exchange;
import dev.duoka.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What the ranks of one group share: the slots in which each shows the others its tensor, the
 * messages on their way, and how many have arrived at the next meeting.
 */
final class LocalGroup {
  /** What a rank shows the others during a collective. */
  static final class Slot {
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
  }

  private final LocalWorld world;
  private final String name;
  private final List<Integer> members;
  private final List<Slot> slots;
  private final Map<Long, Deque<Message>> mailboxes = new HashMap<>();
  private final Map<Integer, LocalGroup> children = new HashMap<>();
  private int arrived;
  private long generation;

  /**
   * A group.
   *
   * @param members the world's numbers of its ranks, in the order of the group
   */
  LocalGroup(LocalWorld world, String name, List<Integer> members) {
    this.world = world;
    this.name = name;
    this.members = List.copyOf(members);
    List<Slot> empty = new ArrayList<>();
    members.forEach(_ -> empty.add(new Slot()));
    slots = List.copyOf(empty);
  }

  static LocalGroup ofWorld(LocalWorld world, int size) {
    return new LocalGroup(world, "world", IntStream.range(0, size).boxed().toList());
  }

  LocalWorld world() {
    return world;
  }

  String name() {
    return name;
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

  /** Waits until all ranks of the group are here. */
  void meet() {
    synchronized (world) {
      world.throwIfBroken();
      long mine = generation;
      if (++arrived == slots.size()) {
        arrived = 0;
        generation++;
        world.notifyAll();
        return;
      }
      world.await(members, () -> generation != mine);
    }
  }

  /** Puts a message where its receiver finds it. */
  void post(int from, int to, Message message) {
    synchronized (world) {
      world.throwIfBroken();
      mailbox(from, to).add(message);
      world.notifyAll();
    }
  }

  /** Whether a message is there. */
  boolean hasMessage(int from, int to) {
    synchronized (world) {
      return !mailbox(from, to).isEmpty();
    }
  }

  /** Waits for the next message. */
  Message take(int from, int to) {
    synchronized (world) {
      Deque<Message> mailbox = mailbox(from, to);
      world.await(List.of(members.get(from)), () -> !mailbox.isEmpty());
      return mailbox.remove();
    }
  }

  /** The group that the ranks of a color form: the same object for all of them. */
  LocalGroup child(int color, String childName, List<Integer> childMembers) {
    synchronized (world) {
      return children.computeIfAbsent(color, _ -> new LocalGroup(world, childName, childMembers));
    }
  }

  /** Forgets the groups of the last split, which all ranks have by now. */
  void forgetChildren() {
    synchronized (world) {
      children.clear();
    }
  }

  private Deque<Message> mailbox(int from, int to) {
    return mailboxes.computeIfAbsent((long) from * slots.size() + to, _ -> new ArrayDeque<>());
  }
}
