package dev.duoka.measure.comm;

import dev.duoka.base.Median;
import dev.duoka.train.device.Transport;
import java.util.List;
import java.util.Optional;

/**
 * How fast one collective of one size is.
 *
 * @param bytes nccl-tests' size: of what a rank reduces, broadcasts or sends in all, or of what it
 *     has gathered
 * @param rounds seconds of a call in each round, the ranks' mean; empty where the result is wrong
 * @param hostRounds seconds of a call that its host's thread is kept, in each round
 * @param wrong what was wrong with the result; empty where nothing was
 */
public record CollectiveLine(
    Transport transport,
    Collective collective,
    int ranks,
    long bytes,
    List<Double> rounds,
    List<Double> hostRounds,
    Optional<String> wrong) {
  private static final double GIGABYTE = 1e9;

  public CollectiveLine {
    rounds = List.copyOf(rounds);
    hostRounds = List.copyOf(hostRounds);
  }

  /** The median round; NaN where the result is wrong. */
  public double seconds() {
    return Median.of(rounds);
  }

  /** {@link #seconds}, in millionths. */
  public double microseconds() {
    return seconds() * 1e6;
  }

  /** Of the fastest round. */
  public double fastestMicroseconds() {
    return rounds.stream().mapToDouble(it -> it * 1e6).min().orElse(Double.NaN);
  }

  /** Of the slowest round. */
  public double slowestMicroseconds() {
    return rounds.stream().mapToDouble(it -> it * 1e6).max().orElse(Double.NaN);
  }

  /** Of the host's thread, in the median round. */
  public double hostMicroseconds() {
    return Median.of(hostRounds) * 1e6;
  }

  /** Size by time, GB/s: nccl-tests' {@code algbw}. */
  public double algorithmBandwidth() {
    return bytes / GIGABYTE / seconds();
  }

  /** What the busiest link has carried at least, GB/s: nccl-tests' {@code busbw}. */
  public double busBandwidth() {
    return algorithmBandwidth() * collective.busFactor(ranks);
  }
}
