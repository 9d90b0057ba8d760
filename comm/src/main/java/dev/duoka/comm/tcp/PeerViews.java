package dev.duoka.comm.tcp;

import dev.duoka.comm.Exchange;
import dev.duoka.comm.tcp.Endpoint.View;
import dev.duoka.comm.tcp.Frame.Kind;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a process knows of the ranks of others: what they last offered, and what they have answered
 * when they were asked what they do.
 *
 * <p>Guarded by the world. Ranks ask; threads of connections bring questions and answers, and what
 * was offered. Nothing here waits.
 */
final class PeerViews {
  private final Endpoints endpoints;
  private final Links links;
  private final Map<Long, View> answers = new HashMap<>();
  private final Map<Integer, Exchange> calls = new HashMap<>();

  PeerViews(Endpoints endpoints, Links links) {
    this.endpoints = endpoints;
    this.links = links;
  }

  /** A rank has offered something in a call. */
  void called(int rank, Exchange exchange) {
    calls.put(rank, exchange);
  }

  /** Asks what a rank is doing, also one of this process; the number of the question. */
  long ask(int rank) {
    long question = links.nextRequest();
    Endpoint here = endpoints.ifHere(rank);
    if (here == null) {
      links.send(rank, Frame.about(Kind.QUESTION, -1, rank, question, 0, ""));
    } else {
      answers.put(question, here.view());
    }
    return question;
  }

  /** Another process asks what a rank of this one is doing. */
  void reply(Link link, Frame question) {
    View view = endpoints.of(question.to()).view();
    link.send(Frame.about(Kind.ANSWER, -1, -1, question.first(), view.waitsFor(), view.text()));
  }

  /** The answer to a question has come. */
  void answered(Frame answer) {
    answers.put(answer.first(), new View(answer.text(), (int) answer.second()));
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
        + links.membership().holder(rank)
        + " stands still"
        + lastCall(rank);
  }

  /** How a message goes on with what a rank has called; empty if nothing is known. */
  String lastCall(int rank) {
    Exchange call = calls.get(rank);
    return call == null ? "" : "; the last that rank " + rank + " called is " + call;
  }
}
