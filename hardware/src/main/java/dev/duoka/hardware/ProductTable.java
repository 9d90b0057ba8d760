package dev.duoka.hardware;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/**
 * How long products of any shape take, from a grid of shapes: rates are interpolated between the
 * samples in the logarithms of all sides; above the largest the rate is the largest's, and below
 * the smallest it falls with the side.
 */
public final class ProductTable {
  /** The smallest side at which a product reaches half the rate of a large one. */
  private static final double HALF_SIDE = 300;

  private static final List<ToDoubleFunction<ProductSample>> PLAIN =
      List.of(ProductSample::rows, ProductSample::in, ProductSample::out);

  private static final List<ToDoubleFunction<ProductSample>> GROUPED =
      List.of(
          ProductSample::groups,
          sample -> (double) sample.rows() / sample.groups(),
          ProductSample::in,
          ProductSample::out);

  private final Map<Pass, LogGrid<ProductSample>> rates = new EnumMap<>(Pass.class);
  private final boolean grouped;

  private ProductTable(List<ProductSample> samples, boolean grouped) {
    this.grouped = grouped;
    for (Pass pass : Pass.values()) {
      rates.put(
          pass,
          new LogGrid<>(
              samples, grouped ? GROUPED : PLAIN, sample -> sample.flops() / sample.seconds(pass)));
    }
  }

  /** Whether there are samples of a format. */
  static boolean has(List<ProductSample> samples, NumberFormat format, boolean grouped) {
    return samples.stream().anyMatch(it -> it.format() == format && it.groups() > 0 == grouped);
  }

  /**
   * The table of one format.
   *
   * @param grouped of the samples in groups, or of those without
   * @throws IllegalArgumentException when these are no full grid
   */
  static ProductTable of(List<ProductSample> samples, NumberFormat format, boolean grouped) {
    return new ProductTable(
        samples.stream().filter(it -> it.format() == format && it.groups() > 0 == grouped).toList(),
        grouped);
  }

  /** Seconds of a plain product of {@code [rows, in] → [rows, out]}. */
  public double seconds(Pass pass, double rows, double in, double out) {
    if (grouped) {
      throw new IllegalStateException("a table of grouped products");
    }
    return seconds(pass, rows, rows, in, out, rows, in, out);
  }

  /** Seconds of products whose rows belong to so many matrices. */
  public double seconds(Pass pass, double groups, double rows, double in, double out) {
    if (!grouped) {
      throw new IllegalStateException("a table of plain products");
    }
    return seconds(pass, rows, rows / groups, in, out, groups, rows / groups, in, out);
  }

  private double seconds(
      Pass pass, double rows, double ofOne, double in, double out, double... point) {
    LogGrid<ProductSample> grid = Objects.requireNonNull(rates.get(pass));
    int first = grouped ? 1 : 0;
    double small =
        fall(ofOne, grid.least(first))
            * fall(in, grid.least(first + 1))
            * fall(out, grid.least(first + 2));
    return 2 * rows * in * out / (grid.at(point) * small);
  }

  private static double fall(double side, double least) {
    return side >= least ? 1 : side / (side + HALF_SIDE) * (least + HALF_SIDE) / least;
  }
}
