package dev.duoka.measure.peer;

import java.io.PrintWriter;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * What another program reported of the same step, if one was run. It runs first, so that the cards
 * are free: what this process once took it keeps to its end.
 *
 * @param result empty without another program
 * @param seconds how long it took
 */
public record PeerRun(Optional<Peer.Result> result, double seconds) {
  /**
   * Runs it.
   *
   * @param command a shell command; null for none
   */
  public static PeerRun of(@Nullable String command, PrintWriter progress) {
    long start = System.nanoTime();
    Optional<Peer.Result> result = Optional.ofNullable(command).map(c -> Peer.run(c, progress));
    return new PeerRun(result, (System.nanoTime() - start) * 1e-9);
  }

  /** Tokens per second of ours by the other program's; empty without one. */
  public OptionalDouble speedRatio(double tokensPerSecond) {
    return result.isEmpty() || Double.isNaN(tokensPerSecond)
        ? OptionalDouble.empty()
        : OptionalDouble.of(tokensPerSecond / result.get().tokensPerSecond());
  }

  /** A card's peak of ours by the other program's; empty where that is unknown. */
  public OptionalDouble memoryRatio(double peakGib) {
    OptionalDouble theirs = result.map(Peer.Result::peakGib).orElse(OptionalDouble.empty());
    return theirs.isPresent()
        ? OptionalDouble.of(peakGib / theirs.getAsDouble())
        : OptionalDouble.empty();
  }

  /**
   * Adds it and the ratios to a report.
   *
   * @param tokensPerSecond of ours, on all cards; NaN where nothing was computed
   * @param peakGib of ours, on the card with the most
   */
  public void describe(ObjectNode report, double tokensPerSecond, double peakGib) {
    if (result.isPresent()) {
      report.put("peer_tokens_per_second", result.get().tokensPerSecond());
      speedRatio(tokensPerSecond).ifPresent(ratio -> report.put("speed_ratio", round(ratio)));
      result.get().peakGib().ifPresent(gib -> report.put("peer_peak_gib", gib));
      memoryRatio(peakGib).ifPresent(ratio -> report.put("memory_ratio", round(ratio)));
    }
  }

  private static double round(double ratio) {
    return Math.round(ratio * 1e3) / 1e3;
  }
}
