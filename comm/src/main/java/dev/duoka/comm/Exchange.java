package dev.duoka.comm;

import dev.duoka.tensor.Dtype;
import org.jspecify.annotations.Nullable;

/**
 * One call of a communicator, as a ledger lists it. Calls of a collective match on all ranks of the
 * group ({@link #matches}), or their order has gone wrong.
 *
 * @param group the communicator's name
 * @param operation what is called
 * @param elements of this rank's tensor; how many numbers for an agreement
 * @param dtype of the tensor; null where there is none
 * @param peer the other rank of a send or receive, the root of a broadcast; −1 otherwise
 */
public record Exchange(
    String group, Operation operation, long elements, @Nullable Dtype dtype, int peer) {
  /** The bytes of this rank's tensor. */
  public long bytes() {
    return dtype == null ? 0 : elements * dtype.bytes();
  }

  /**
   * Whether another rank of the group makes the same call. How many rows a rank sends to all others
   * is its own affair.
   */
  public boolean matches(Exchange other) {
    return group.equals(other.group)
        && operation == other.operation
        && dtype == other.dtype
        && peer == other.peer
        && (elements == other.elements || operation == Operation.ALL_TO_ALL);
  }

  /** For example {@code all-reduce of 1024 × FLOAT32 in world}. */
  @Override
  public String toString() {
    String with =
        switch (operation) {
          case SEND -> " to rank " + peer;
          case RECEIVE -> " from rank " + peer;
          case BROADCAST -> " of rank " + peer;
          default -> "";
        };
    return operation
        + (elements == 0 ? "" : " of " + elements + (dtype == null ? "" : " × " + dtype))
        + with
        + " in "
        + group;
  }
}
