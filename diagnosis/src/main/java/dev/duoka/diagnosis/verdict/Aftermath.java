package dev.duoka.diagnosis.verdict;

import dev.duoka.diagnosis.rule.Component;
import dev.duoka.diagnosis.rule.Role;
import dev.duoka.diagnosis.scan.ProgressLines;
import dev.duoka.diagnosis.scan.Scan;
import dev.duoka.diagnosis.scan.ScannedLog;
import dev.duoka.diagnosis.scan.Sighting;
import dev.duoka.diagnosis.scan.Tracebacks;
import java.util.List;

/**
 * Whether the run went on after a line: what it survived is no failure. Steps of another rank do
 * not absolve a rank, and a few steps of unknown origin prove little, because ranks run a little
 * apart. Where an exception ended its process, only steps prove anything that are more than that
 * process may have had in its output buffer.
 */
final class Aftermath {
  private static final int ENOUGH_WHERE_NOBODY_TELLS = 2;
  private static final int ENOUGH_WHERE_ONLY_THE_LINE_TELLS = 3;

  private final Scan scan;
  private final Tracebacks tracebacks;

  Aftermath(Scan scan) {
    this.scan = scan;
    this.tracebacks = new Tracebacks(scan.sightings());
  }

  /** Whether the run went on, ended well, or the fault was reported as mended. */
  boolean isSurvived(Sighting s) {
    return isUndone(s) || (runWentOn(s) && !mayBeBuffered(s));
  }

  /**
   * Whether steps follow, but so few that a process which this line ended may have printed them.
   */
  boolean isInDoubt(Sighting s) {
    return !isUndone(s) && runWentOn(s) && mayBeBuffered(s);
  }

  /**
   * Whether a line that was survived may still be why the run failed later: faults of machines and
   * numbers last, and output of several processes overtakes itself by a few lines.
   */
  boolean mayStillBeTheCause(Sighting s) {
    if (s.rule().role() != Role.ROOT) {
      return false;
    }
    boolean lasting =
        switch (s.rule().component()) {
          case HARDWARE, DRIVER, NETWORK, NUMERICS -> true;
          case MEMORY, NCCL, SOFTWARE_ENV, DATA, STORAGE, CONFIG, LAUNCH -> false;
        };
    ProgressLines progress = scan.logs().get(s.log()).progress();
    return lasting
        || (progress.mostStepsAfter(s.number()) < ProgressLines.MOST_STEPS
            && !progress.endsAfter(s.number()));
  }

  private boolean endedWell(Sighting s) {
    ScannedLog log = scan.logs().get(s.log());
    ProgressLines progress = log.progress();
    String origin = ProgressLines.origin(s.line(), log.source().rank());
    // A run can end "well" with a loss that is not a number; only a finite one mends that.
    return s.rule().component() != Component.NUMERICS
        && (origin.equals(ProgressLines.UNKNOWN)
            ? progress.endsAfter(s.number())
            : progress.endsAfter(s.number(), origin)
                || progress.endsAfter(s.number(), ProgressLines.UNKNOWN));
  }

  private boolean mayBeBuffered(Sighting s) {
    if (endedWell(s) || !tracebacks.ended(s)) {
      return false;
    }
    ScannedLog log = scan.logs().get(s.log());
    ProgressLines progress = log.progress();
    String origin = ProgressLines.origin(s.line(), log.source().rank());
    long bytes =
        origin.equals(ProgressLines.UNKNOWN)
            ? progress.mostBytesAfter(s.number())
            : Math.max(
                progress.bytesAfter(s.number(), origin),
                progress.bytesAfter(s.number(), ProgressLines.UNKNOWN));
    return bytes <= ProgressLines.BUFFERED_BYTES;
  }

  private boolean runWentOn(Sighting s) {
    if (endedWell(s)) {
      return true;
    }
    ScannedLog log = scan.logs().get(s.log());
    ProgressLines progress = log.progress();
    String origin = ProgressLines.origin(s.line(), log.source().rank());
    long line = s.number();
    boolean unknown = origin.equals(ProgressLines.UNKNOWN);
    if (s.rule().component() == Component.LAUNCH) {
      // Ranks that are being ended still print what they had buffered.
      return progress.stepsAfter(line, origin) >= ProgressLines.MOST_STEPS;
    }
    if (unknown) {
      return progress.mostStepsAfter(line) >= ENOUGH_WHERE_NOBODY_TELLS;
    }
    return progress.stepsAfter(line, origin) > 0
        || progress.stepsAfter(line, ProgressLines.UNKNOWN) >= ENOUGH_WHERE_ONLY_THE_LINE_TELLS;
  }

  /** Whether a later line of the same device says that the fault is over. */
  private boolean isUndone(Sighting s) {
    List<String> undoing = s.rule().undoneBy();
    String device = s.captures().get("device");
    return device != null
        && !undoing.isEmpty()
        && scan.sightings().stream()
            .anyMatch(
                other ->
                    undoing.contains(other.rule().id())
                        && other.log() == s.log()
                        && other.number() > s.number()
                        && device.equals(other.captures().get("device")));
  }
}
