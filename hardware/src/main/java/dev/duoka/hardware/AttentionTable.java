package dev.duoka.hardware;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** How long causal attention takes, from samples by heads, length and widths. */
public final class AttentionTable {
  private record Widths(long width, long valueWidth) {}

  private record Rates(LogGrid<AttentionSample> forward, LogGrid<AttentionSample> backward) {}

  private final Map<Widths, Rates> rates;

  /**
   * A table.
   *
   * @throws IllegalArgumentException when the samples of two widths are no full grid
   */
  public AttentionTable(List<AttentionSample> samples) {
    rates =
        samples.stream()
            .collect(Collectors.groupingBy(it -> new Widths(it.width(), it.valueWidth())))
            .entrySet()
            .stream()
            .collect(Collectors.toMap(Map.Entry::getKey, entry -> rates(entry.getValue())));
  }

  private static Rates rates(List<AttentionSample> samples) {
    return new Rates(
        new LogGrid<>(
            samples,
            List.of(AttentionSample::heads, AttentionSample::length),
            it -> it.flops() / it.forward()),
        new LogGrid<>(
            samples,
            List.of(AttentionSample::heads, AttentionSample::length),
            it -> 2.5 * it.flops() / it.backward()));
  }

  /**
   * Seconds of a pass.
   *
   * @param forward or backward
   * @param flops of the forward pass at its causal half
   * @param heads of all sequences together
   */
  public double seconds(
      boolean forward, double flops, double heads, double length, double width, double valueWidth) {
    List<Widths> known = new ArrayList<>(rates.keySet());
    Widths nearest =
        known.stream()
            .min(
                Comparator.comparingDouble(
                    it ->
                        Math.abs(Math.log(it.width() / width))
                            + Math.abs(Math.log(it.valueWidth() / valueWidth))))
            .orElseThrow();
    Rates of = Objects.requireNonNull(rates.get(nearest));
    return forward
        ? flops / of.forward().at(heads, length)
        : 2.5 * flops / of.backward().at(heads, length);
  }
}
