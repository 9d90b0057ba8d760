package dev.duoka.operations.watch;

import dev.duoka.base.ByteSize;
import dev.duoka.machine.probe.CardLoad;
import dev.duoka.machine.probe.LinkRate;
import dev.duoka.operations.cards.CardWatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.StreamSupport;

/** The cards of this machine as lines of text, of a run that goes on on cards. */
public final class CardLines {
  private static final double GIGA = 1e9;

  private final CardWatch cards = new CardWatch();

  /** A line for each card; none for a run that is over, or on the CPU. Returns at once. */
  public List<String> of(WatchedRun run) {
    RunView view = run.view();
    boolean isOnCards =
        view.state().equals("running")
            && StreamSupport.stream(view.placement().path("seats").spliterator(), false)
                .anyMatch(seat -> seat.path("device").asString("").startsWith("cuda"));
    return isOnCards ? cards.cards().stream().map(CardLines::line).toList() : List.of();
  }

  static String line(CardWatch.Seen card) {
    CardLoad load = card.load();
    List<String> parts = new ArrayList<>();
    load.utilisation().ifPresent(percent -> parts.add(percent + " %"));
    load.memoryBytes().ifPresent(bytes -> parts.add(ByteSize.text(bytes)));
    load.watts().ifPresent(watts -> parts.add(String.format(Locale.ROOT, "%.0f W", watts)));
    load.celsius().ifPresent(celsius -> parts.add(celsius + " °C"));
    load.smMegahertz().ifPresent(clock -> parts.add(clock + " MHz"));
    rate("NVLink", load.nvLink(), parts);
    rate("PCIe", load.pcie(), parts);
    return "GPU "
        + card.index()
        + (card.stale() ? " does not answer, last seen: " : "  ")
        + String.join("  ", parts);
  }

  private static void rate(String link, Optional<LinkRate> rate, List<String> parts) {
    rate.ifPresent(
        it ->
            parts.add(
                String.format(
                    Locale.ROOT,
                    "%s %.1f/%.1f GB/s",
                    link,
                    it.sent() / GIGA,
                    it.received() / GIGA)));
  }
}
