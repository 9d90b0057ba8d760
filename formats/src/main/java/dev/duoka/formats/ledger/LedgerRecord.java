package dev.duoka.formats.ledger;

/**
 * One exchange of a rank.
 *
 * @param sequence its number, from 1
 * @param operation for example {@code all-reduce}
 * @param dtype of the elements; empty where there are none
 * @param elements of this rank's tensor
 * @param bytes of this rank's tensor
 * @param group of the ranks, for example {@code world}
 * @param peer the other rank of a send or receive, the root of a broadcast, by its number in the
 *     world; −1 otherwise
 * @param block of the model that it belongs to; empty where none is known
 * @param issuedNanos when it was issued, in nanoseconds since 1970
 * @param completedNanos when the host saw its end; 0 while it has not
 */
public record LedgerRecord(
    long sequence,
    String operation,
    String dtype,
    long elements,
    long bytes,
    String group,
    int peer,
    String block,
    long issuedNanos,
    long completedNanos) {
  /** Whether the host has seen its end. */
  public boolean isCompleted() {
    return completedNanos != 0;
  }
}
