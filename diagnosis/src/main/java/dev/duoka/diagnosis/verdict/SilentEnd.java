package dev.duoka.diagnosis.verdict;

import dev.duoka.diagnosis.log.LogLine;
import dev.duoka.diagnosis.rule.LineKinds;
import dev.duoka.diagnosis.rule.RuleBook;
import dev.duoka.diagnosis.scan.ScannedLog;
import dev.duoka.diagnosis.scan.Sighting;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/**
 * A log without any error that goes quiet right after the communicators were set up: a hang that
 * nobody reported. A log that merely ends there may be of a run that goes on; a later line must say
 * that it did not: the clock of the lines that follow, or somebody who ended or looked at it.
 */
final class SilentEnd {
  private static final Pattern SET_UP =
      Pattern.compile(
          "NCCL INFO (?:.*Init COMPLETE|Connected (?:all|NVLS)|\\d+ coll"
              + " channels|.*threadThresholds|.*Launch mode|Channel \\d+.* via )");
  private static final Pattern STARTED = Pattern.compile("NCCL INFO .*Init START");

  private static final Pattern GIVEN_UP =
      Pattern.compile(
          "^\\W{0,3}\\^C|\\bKeyboardInterrupt\\b|^(?:Terminated|Killed)\\b|CANCELLED"
              + " AT|\\bSIG(?:TERM|INT|HUP)\\b|^Signals\\.SIG|(?i:\\b(?:hangs?|hung|hanging|stuck|no"
              + " (?:further )?output|nothing happens)\\b)");

  /** Milliseconds without a line of the run that no set-up takes. */
  private static final long LONG = 10 * 60_000L;

  /** A run that prints more than so many lines between is not quiet. */
  private static final int MOST_OTHERS = 3;

  private final RuleBook book;

  SilentEnd(RuleBook book) {
    this.book = book;
  }

  /** The last line of the set-up as evidence of the hang; empty where the log tells of none. */
  Optional<Sighting> of(int index, ScannedLog log) {
    List<String> tail = log.tail();
    int at = lastOfSetUp(tail);
    if (at < 0 || !isGivenUp(tail, at) || wentOn(tail, at)) {
      return Optional.empty();
    }
    String last = tail.get(at);
    boolean network = tail.stream().anyMatch(line -> line.contains(" via NET/"));
    boolean peer = tail.stream().anyMatch(line -> line.contains(" via P2P/"));
    String rule =
        STARTED.matcher(last).find()
            ? "hang_in_communicator_setup"
            : network ? "hang_after_setup_network" : peer ? "p2p_hang" : "hang_after_setup";
    return Optional.of(
        new Sighting(
            book.rule(rule), 0, index, log.tailNumbers().get(at), LogLine.of(last), Map.of()));
  }

  private static int lastOfSetUp(List<String> tail) {
    for (int i = tail.size() - 1; i >= 0; i--) {
      if (STARTED.matcher(tail.get(i)).find() || SET_UP.matcher(tail.get(i)).find()) {
        return i;
      }
    }
    return -1;
  }

  private static boolean isGivenUp(List<String> tail, int at) {
    OptionalLong before = OptionalLong.empty();
    for (int i = 0; i <= at; i++) {
      OptionalLong time = LogLine.of(tail.get(i)).time();
      before = time.isPresent() ? time : before;
    }
    boolean traceback = false;
    int others = 0;
    for (String text : tail.subList(at + 1, tail.size())) {
      LogLine line = LogLine.of(text);
      if (GIVEN_UP.matcher(line.body()).find() || (others == 0 && isLater(line.time(), before))) {
        return true;
      }
      traceback |= line.body().startsWith("Traceback (most recent call last)");
      others += traceback ? 0 : 1;
      if (others > MOST_OTHERS) {
        return false;
      }
    }
    return false;
  }

  private static boolean isLater(OptionalLong time, OptionalLong before) {
    return time.isPresent() && before.isPresent() && time.getAsLong() - before.getAsLong() >= LONG;
  }

  private static boolean wentOn(List<String> tail, int at) {
    return tail.subList(at + 1, tail.size()).stream()
        .anyMatch(line -> LineKinds.progress(LogLine.of(line).body()).isPresent());
  }
}
