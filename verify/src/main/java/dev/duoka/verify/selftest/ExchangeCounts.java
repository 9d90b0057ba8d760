package dev.duoka.verify.selftest;

import dev.duoka.comm.Exchange;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.Operation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Counts what all ranks exchange, by group, operation and what carries it. */
final class ExchangeCounts {
  private final Map<Kind, Total> totals = new LinkedHashMap<>();

  private record Kind(String group, Operation operation, String transport) {}

  private record Total(long calls, long bytes) {
    Total plus(Exchange exchange) {
      return new Total(calls + 1, bytes + exchange.bytes());
    }
  }

  /** The ledger of one rank on one transport. */
  ExchangeLedger ledger(String transport) {
    return new ExchangeLedger() {
      @Override
      public long issued(Exchange exchange) {
        Kind kind = new Kind(exchange.group().name(), exchange.operation(), transport);
        synchronized (totals) {
          totals.merge(kind, new Total(1, exchange.bytes()), (old, _) -> old.plus(exchange));
        }
        return 0;
      }

      @Override
      public void completed(long sequence) {}
    };
  }

  /** What was exchanged, by group. */
  List<SelfTestReport.Exchanged> all() {
    List<SelfTestReport.Exchanged> all = new ArrayList<>();
    synchronized (totals) {
      totals.forEach(
          (kind, total) ->
              all.add(
                  new SelfTestReport.Exchanged(
                      kind.group(),
                      kind.operation().toString(),
                      kind.transport(),
                      total.calls(),
                      total.bytes())));
    }
    all.sort(
        Comparator.comparing(SelfTestReport.Exchanged::group)
            .thenComparing(SelfTestReport.Exchanged::operation));
    return all;
  }
}
