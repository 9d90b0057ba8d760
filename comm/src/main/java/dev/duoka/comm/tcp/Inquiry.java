package dev.duoka.comm.tcp;

import dev.duoka.comm.Exchange;
import dev.duoka.comm.tcp.Endpoint.View;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * What a rank learns when it has waited for long: what the rank that it waits for is doing, whom
 * that one waits for, and so on. The processes answer, also while their ranks compute. Guarded by
 * the world.
 */
final class Inquiry {
  private final PeerViews views;
  private final List<Integer> asked = new ArrayList<>();
  private final List<String> answers = new ArrayList<>();
  private long question;
  private boolean over;

  /**
   * Begins to ask.
   *
   * @param asker who waits
   * @param first the rank that it waits for
   */
  Inquiry(PeerViews views, int asker, int first) {
    this.views = views;
    asked.add(asker);
    ask(first);
  }

  private void ask(int rank) {
    asked.add(rank);
    question = views.ask(rank);
  }

  /** Takes the answers that have come, and asks on. */
  void follow() {
    while (!over) {
      View view = views.answer(question);
      if (view == null) {
        return;
      }
      answers.add("rank " + asked.getLast() + " " + view.text());
      over = view.waitsFor() < 0 || asked.contains(view.waitsFor());
      if (!over) {
        ask(view.waitsFor());
      }
    }
  }

  /** What a rank says that has waited in vain, with all that is known. */
  String text(Exchange call, int other, Duration limit) {
    return "rank "
        + asked.getFirst()
        + " is in "
        + call
        + " and has waited "
        + seconds(limit)
        + " for rank "
        + other
        + "; "
        + known();
  }

  /** For example {@code 0.8 s}. */
  static String seconds(Duration limit) {
    return limit.toMillis() / 1000.0 + " s";
  }

  private String known() {
    follow();
    String known = String.join("; ", answers);
    if (over) {
      return known + ". Raise launch.timeout if a rank may take longer";
    }
    return (known.isEmpty() ? "" : known + "; ") + views.silence(asked.getLast());
  }
}
