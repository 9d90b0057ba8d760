package dev.duoka.operations.watch;

import dev.duoka.base.ByteSize;
import dev.duoka.machine.probe.CardLoad;
import dev.duoka.machine.probe.LinkRate;
import dev.duoka.operations.cards.CardProcess;
import dev.duoka.operations.cards.CardWatch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** The cards of this machine as lines of text, of a run that goes on on cards. */
final class CardLines {
  private static final double GIGA = 1e9;

  private final CardProcess cards = new CardProcess();

  /** A line for each card; none for a run that is over, or on the CPU. Returns at once. */
  List<String> of(WatchedRun run) {
    Map<String, String> devices = new HashMap<>();
    for (JsonNode seat : run.view().placement().path("seats")) {
      devices.put(seat.path("uuid").asString(""), seat.path("device").asString(""));
    }
    List<String> lines = new ArrayList<>();
    if (isOnCards(run)) {
      cards.cards().forEach(card -> lines.add(line(card, devices)));
      cards.problem().ifPresent(lines::add);
    }
    return lines;
  }

  /** Whether there is nobody to wait for: each card has said something, or none is asked. */
  boolean haveAnswered(WatchedRun run) {
    List<CardWatch.Seen> seen = isOnCards(run) ? cards.cards() : List.of();
    return !isOnCards(run)
        || (!seen.isEmpty()
            && seen.stream().noneMatch(card -> card.load().equals(CardLoad.UNKNOWN)));
  }

  private static boolean isOnCards(WatchedRun run) {
    if (!run.view().state().equals("running")) {
      return false;
    }
    for (JsonNode seat : run.view().placement().path("seats")) {
      if (seat.path("device").asString("").startsWith("cuda")) {
        return true;
      }
    }
    return false;
  }

  /**
   * A card.
   *
   * @param devices the run's names of its cards, by their identities
   */
  static String line(CardWatch.Seen card, Map<String, String> devices) {
    CardLoad load = card.load();
    List<String> parts = new ArrayList<>();
    load.utilisation().ifPresent(percent -> parts.add(percent + " %"));
    share("SM", load.activity().multiprocessors(), parts);
    share("tensor", load.activity().tensorCores(), parts);
    share("DRAM", load.activity().memory(), parts);
    load.memoryBytes().ifPresent(bytes -> parts.add(ByteSize.text(bytes)));
    load.watts().ifPresent(watts -> parts.add(String.format(Locale.ROOT, "%.0f W", watts)));
    load.celsius().ifPresent(celsius -> parts.add(celsius + " °C"));
    load.smMegahertz().ifPresent(clock -> parts.add(clock + " MHz"));
    rate("NVLink", load.nvLink(), parts);
    rate("PCIe", load.pcie(), parts);
    return "GPU "
        + card.index()
        + card.uuid()
            .flatMap(uuid -> Optional.ofNullable(devices.get(uuid)))
            .map(device -> " = " + device)
            .orElse("")
        + (card.stale() ? " does not answer, last seen: " : "  ")
        + String.join("  ", parts);
  }

  private static void share(String part, Optional<Double> percent, List<String> parts) {
    percent.ifPresent(it -> parts.add(String.format(Locale.ROOT, "%s %.0f %%", part, it)));
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
