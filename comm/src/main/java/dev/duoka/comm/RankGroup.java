package dev.duoka.comm;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A group of ranks, as ledgers and errors name it.
 *
 * @param name what it is for, for example {@code tensor}
 * @param members the world's numbers of its ranks, in the order of the group; empty for the world
 *     itself, whose numbers they are anyway
 */
public record RankGroup(String name, List<Integer> members) {
  /** All ranks. */
  public static final RankGroup WORLD = new RankGroup("world", List.of());

  /** Members that are written out; of more the first and the last. */
  private static final int LISTED = 8;

  private static final int FIRST = 3;

  public RankGroup {
    members = List.copyOf(members);
  }

  /** The world's number of a rank of this group. */
  public int member(int rank) {
    return members.isEmpty() ? rank : members.get(rank);
  }

  /**
   * A call that is made now, for what the calling thread's {@link Purpose} says.
   *
   * @param peer the other rank of a send or receive, the root of a broadcast; −1 otherwise
   */
  public Exchange call(Operation operation, Tensor tensor, int peer) {
    return call(operation, tensor.elements(), tensor.dtype(), peer);
  }

  /** As the other method, of so many elements. */
  public Exchange call(Operation operation, long elements, @Nullable Dtype dtype, int peer) {
    return new Exchange(this, operation, elements, dtype, peer, Purpose.current());
  }

  /** For example {@code world}, or {@code tensor group of ranks 0,1}. */
  @Override
  public String toString() {
    return members.isEmpty() ? name : name + " group of ranks " + listed();
  }

  private String listed() {
    int size = members.size();
    return size <= LISTED
        ? members.stream().map(String::valueOf).collect(Collectors.joining(","))
        : members.stream().limit(FIRST).map(String::valueOf).collect(Collectors.joining(","))
            + ",…,"
            + members.getLast()
            + " ("
            + size
            + " ranks)";
  }
}
