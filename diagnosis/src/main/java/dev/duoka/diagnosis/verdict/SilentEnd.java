package dev.duoka.diagnosis.verdict;

import dev.duoka.diagnosis.log.LogLine;
import dev.duoka.diagnosis.rule.RuleBook;
import dev.duoka.diagnosis.scan.ScannedLog;
import dev.duoka.diagnosis.scan.Sighting;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A log without any error that stops right after the communicators were set up: a hang that nobody
 * reported. Only asked where nothing else was found.
 */
final class SilentEnd {
  private static final Pattern SET_UP =
      Pattern.compile(
          "NCCL INFO (?:.*Init COMPLETE|Connected (?:all|NVLS)|\\d+ coll"
              + " channels|.*threadThresholds|.*Launch mode|Channel \\d+.* via )");
  private static final Pattern STARTED = Pattern.compile("NCCL INFO .*Init START");

  private final RuleBook book;

  SilentEnd(RuleBook book) {
    this.book = book;
  }

  /** The last line as evidence of the hang; empty where the log ends otherwise. */
  Optional<Sighting> of(int index, ScannedLog log) {
    List<String> tail = log.tail();
    if (tail.isEmpty()) {
      return Optional.empty();
    }
    String last = tail.getLast();
    String rule;
    if (STARTED.matcher(last).find()) {
      rule = "hang_in_communicator_setup";
    } else if (SET_UP.matcher(last).find()) {
      boolean network = tail.stream().anyMatch(line -> line.contains(" via NET/"));
      boolean peer = tail.stream().anyMatch(line -> line.contains(" via P2P/"));
      rule = network ? "hang_after_setup_network" : peer ? "p2p_hang" : "hang_after_setup";
    } else {
      return Optional.empty();
    }
    return Optional.of(
        new Sighting(
            book.rule(rule), 0, index, log.tailNumbers().getLast(), LogLine.of(last), Map.of()));
  }
}
