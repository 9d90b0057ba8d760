package dev.duoka.verify.selftest;

import dev.duoka.layout.Precision;
import java.util.List;

/**
 * What a self-test found.
 *
 * @param work what was trained, in words
 * @param comparisons with one rank, each in another precision
 * @param exchanges of all ranks in the first of them
 * @param seconds that all of it took
 */
public record SelfTestReport(
    String work, List<Comparison> comparisons, List<Exchanged> exchanges, double seconds) {
  /**
   * A comparison with one rank.
   *
   * @param tensors how many gradients and weights were compared
   * @param steps how many steps' losses and norms
   * @param differences that are larger, the worst first
   * @param forked whether the first tokens differed and others did not: there, two experts, or a
   *     weight's two neighbours, were equal to the last bits, and rounding chose
   */
  public record Comparison(
      Precision precision, int tensors, int steps, List<Differing> differences, boolean forked) {
    /** As this one, with the differences that another one has, too. */
    Comparison inCommonWith(Comparison other) {
      List<String> theirs = other.differences().stream().map(Differing::name).toList();
      return new Comparison(
          precision,
          tensors,
          steps,
          differences.stream().filter(it -> theirs.contains(it.name())).toList(),
          forked);
    }

    /** As this one, in which nothing that differed counts. */
    Comparison ofForks() {
      return new Comparison(precision, tensors, steps, differences, true);
    }

    /** How many numbers and tensors were compared. */
    public int compared() {
      return tensors + 2 * steps;
    }
  }

  /**
   * Something that is not equal.
   *
   * @param name for example {@code gradient of model.norm.weight}
   * @param relative how much it differs, of its size on one rank
   * @param limit how much it may
   */
  public record Differing(String name, double relative, double limit) {}

  /**
   * What ranks exchanged.
   *
   * @param group of the ranks
   * @param operation for example {@code all-reduce}
   * @param transport {@code copies} or {@code nccl}
   * @param calls by all ranks
   * @param bytes of their tensors; 0 for what hosts alone exchange
   */
  public record Exchanged(
      String group, String operation, String transport, long calls, long bytes) {}

  /** Whether the mesh computes what one rank does. */
  public boolean holds() {
    return comparisons.stream().allMatch(it -> it.differences().isEmpty());
  }
}
