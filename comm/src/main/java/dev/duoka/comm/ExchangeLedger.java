package dev.duoka.comm;

import java.util.ArrayList;
import java.util.List;

/**
 * The list of a rank's exchanges, in order, which a communicator writes. A dry run keeps all of it
 * ({@link InMemory}), so that it can be compared with what real ranks exchange. A run of several
 * ranks writes the last ones where another process can read them while the rank hangs ({@link
 * FileLedger}).
 */
public interface ExchangeLedger {
  /** Keeps nothing. */
  ExchangeLedger NONE =
      new ExchangeLedger() {
        @Override
        public long issued(Exchange exchange) {
          return 0;
        }

        @Override
        public void completed(long sequence) {}
      };

  /**
   * Notes a call before it is made.
   *
   * @return its number, from 1; 0 from a ledger that does not keep it
   */
  long issued(Exchange exchange);

  /** Notes that the call of this number has ended, as far as the host knows. */
  void completed(long sequence);

  /** A ledger that keeps every call in memory. */
  final class InMemory implements ExchangeLedger {
    private final List<Exchange> exchanges = new ArrayList<>();
    private long completed;

    @Override
    public long issued(Exchange exchange) {
      exchanges.add(exchange);
      return exchanges.size();
    }

    @Override
    public void completed(long sequence) {
      completed++;
    }

    /** All calls, in order. */
    public List<Exchange> exchanges() {
      return List.copyOf(exchanges);
    }

    /** How many of them have ended. */
    public long completed() {
      return completed;
    }
  }
}
