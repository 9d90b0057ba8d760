package dev.duoka.comm.local;

import dev.duoka.comm.RankBody;
import dev.duoka.comm.RenewedExchange;

/** Ranks of one process. */
final class RenewedExchangeTests extends RenewedExchange {
  @Override
  protected void run(RankBody body) {
    LocalRanks.run(3, body);
  }
}
