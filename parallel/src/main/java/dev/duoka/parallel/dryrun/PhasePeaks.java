package dev.duoka.parallel.dryrun;

import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.engine.autograd.Work;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * The peak of each part of a step: of the forward and of the backward pass of each kind of block,
 * of what lies between, and of the update.
 */
final class PhasePeaks implements FunctionObserver {
  private final MemoryLedger ledger;
  private final IntFunction<String> kinds;
  private final Map<String, Map<MemoryOwner, Long>> peaks = new LinkedHashMap<>();
  private String phase = "begin";

  /**
   * Observes a ledger whose peak is this observer's alone from now on.
   *
   * @param kinds names what blocks of the tape have in common, by their number
   */
  PhasePeaks(MemoryLedger ledger, IntFunction<String> kinds) {
    this.ledger = ledger;
    this.kinds = kinds;
    ledger.resetPeak();
  }

  @Override
  public void enterBlock(Phase pass, int block) {
    turnTo(
        (pass == Phase.FORWARD ? "forward" : "backward")
            + (block == NO_BLOCK ? "" : " of " + kinds.apply(block)));
  }

  @Override
  public void begin(Phase part, String name) {
    if (part == Phase.UPDATE) {
      turnTo("update");
    }
  }

  @Override
  public void end(Phase part, String name, Work work) {}

  /** The peaks by part, when the step has ended. */
  Map<String, Map<MemoryOwner, Long>> peaks() {
    turnTo("end");
    return peaks;
  }

  private void turnTo(String next) {
    peaks.merge(phase, ledger.peakByOwner(), PhasePeaks::larger);
    ledger.resetPeak();
    phase = next;
  }

  static Map<MemoryOwner, Long> larger(Map<MemoryOwner, Long> a, Map<MemoryOwner, Long> b) {
    return sum(b) > sum(a) ? b : a;
  }

  static long sum(Map<MemoryOwner, Long> bytes) {
    return bytes.values().stream().mapToLong(Long::longValue).sum();
  }
}
