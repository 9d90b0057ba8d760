package dev.duoka.comm;

import dev.duoka.tensor.Dtype;
import org.jspecify.annotations.Nullable;

/**
 * One call of a communicator, as a ledger lists it. Calls of a collective match on all ranks of the
 * group ({@link #matches}), or their order has gone wrong.
 *
 * @param group of the ranks that make it
 * @param operation what is called
 * @param elements of this rank's tensor; how many numbers for an agreement
 * @param dtype of the tensor; null where there is none
 * @param peer the other rank of a send or receive, the root of a broadcast, by its number in the
 *     group; −1 otherwise
 * @param purpose what it is for, for example the weights of a block; empty where it is not known
 */
public record Exchange(
    RankGroup group,
    Operation operation,
    long elements,
    @Nullable Dtype dtype,
    int peer,
    String purpose) {
  /** The bytes of this rank's tensor. */
  public long bytes() {
    return dtype == null ? 0 : elements * dtype.bytes();
  }

  /**
   * Whether another rank of the group makes the same call. How many rows a rank sends to all others
   * is its own affair.
   */
  public boolean matches(Exchange other) {
    return group.name().equals(other.group.name())
        && operation == other.operation
        && dtype == other.dtype
        && peer == other.peer
        && (elements == other.elements || operation == Operation.ALL_TO_ALL);
  }

  /**
   * For example {@code all-reduce of 1024 × float32 in tensor group of ranks 0,1 (model.layers.3)}.
   * Ranks have the world's numbers.
   */
  @Override
  public String toString() {
    String with =
        switch (operation) {
          case SEND -> " to rank " + group.member(peer);
          case RECEIVE -> " from rank " + group.member(peer);
          case BROADCAST -> " of rank " + group.member(peer);
          default -> "";
        };
    return operation
        + (elements == 0 ? "" : " of " + elements + (dtype == null ? "" : " × " + dtype))
        + with
        + " in "
        + group
        + (purpose.isEmpty() ? "" : " (" + purpose + ")");
  }
}
