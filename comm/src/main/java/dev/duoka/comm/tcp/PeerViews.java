package dev.duoka.comm.tcp;

import dev.duoka.comm.Exchange;
import dev.duoka.comm.tcp.Endpoint.View;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a process knows of the ranks of others: what they last offered, and what they have answered.
 * Guarded by the world.
 */
final class PeerViews {
  private final Membership membership;
  private final Map<Long, View> answers = new HashMap<>();
  private final Map<Integer, Exchange> calls = new HashMap<>();

  PeerViews(Membership membership) {
    this.membership = membership;
  }

  /** A rank has offered something in a call. */
  void called(int rank, Exchange exchange) {
    calls.put(rank, exchange);
  }

  /** The answer to a question has come. */
  void answered(long question, View view) {
    answers.put(question, view);
  }

  /** The answer to a question; null as long as there is none. */
  @Nullable View answer(long question) {
    return answers.get(question);
  }

  /** How a message names a rank whose process stands still. */
  String silence(int rank) {
    return "rank "
        + rank
        + " does not answer: "
        + membership.holder(rank)
        + " stands still"
        + lastCall(rank);
  }

  /** How a message goes on with what a rank has called; empty if nothing is known. */
  String lastCall(int rank) {
    Exchange call = calls.get(rank);
    return call == null ? "" : "; the last that rank " + rank + " called is " + call;
  }
}
