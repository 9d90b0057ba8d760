package dev.duoka.planner.time;

import dev.duoka.hardware.Achievable;
import dev.duoka.hardware.Card;
import dev.duoka.hardware.Machine;
import dev.duoka.hardware.MachineProfile;
import dev.duoka.hardware.NumberFormat;
import dev.duoka.hardware.Pass;
import dev.duoka.hardware.ProductTable;
import dev.duoka.layout.Precision;
import dev.duoka.planner.layout.ProductFormat;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How fast a card computes products of a shape. Products whose smallest side is short reach less:
 * on an H100 684 to 755 TFLOP/s with a side of 2048 against 798 at 8192³, on B200 and A100 0.19 to
 * 0.5 of the peak with sides of 160 to 576 (SimuMax e691807).
 */
final class ProductRates {
  /** The smallest side at which a product reaches half the rate of a large one. */
  private static final double HALF_SIDE = 300;

  private static final double LARGE_SIDE = 8192;

  /** The side at which the rates of grouped products were measured. */
  private static final double GROUPED_SIDE = 1536;

  private final double gemm;
  private final double grouped;
  private final double attentionForward;
  private final double attentionBackward;
  private final @Nullable ProductTable measured;
  private final @Nullable ProductTable measuredGroups;

  ProductRates(Machine machine, Precision precision) {
    Card card = machine.card();
    Optional<MachineProfile> profile = machine.profile();
    NumberFormat format = measuredAs(precision);
    measured = profile.flatMap(it -> it.products(format, false)).orElse(null);
    // Experts stay in 16 bits beside 8-bit products.
    NumberFormat ofGroups = format == NumberFormat.FP8 ? NumberFormat.BF16 : format;
    measuredGroups = profile.flatMap(it -> it.products(ofGroups, true)).orElse(null);
    Achievable achievable = card.achievable();
    double peak = card.peak(ProductFormat.of(precision)) * achievable.training();
    // Plain cores come nearer to their peak than tensor cores; 8-bit products less near.
    double share =
        switch (precision) {
          case FP64, FP32 -> Math.max(achievable.gemm(), 0.8);
          case FP8 -> 0.9 * achievable.gemm();
          case TF32, BF16, FP16 -> achievable.gemm();
        };
    gemm = peak * share * (1 + HALF_SIDE / LARGE_SIDE);
    grouped = peak * achievable.grouped() * (1 + HALF_SIDE / GROUPED_SIDE);
    // Attention stays in 16 bits beside 8-bit products.
    double core =
        precision == Precision.FP8
            ? card.peak(card.halfPrecision())
            : card.peak(ProductFormat.of(precision));
    attentionForward = core * achievable.training() * achievable.attentionForward();
    attentionBackward = core * achievable.training() * achievable.attentionBackward();
  }

  /** The format whose samples stand for a precision: fp16 is as fast as bf16. */
  static NumberFormat measuredAs(Precision precision) {
    NumberFormat format = ProductFormat.of(precision);
    return format == NumberFormat.FP16 ? NumberFormat.BF16 : format;
  }

  /** Whether plain products of the precision are those that were measured. */
  boolean areMeasured() {
    return measured != null;
  }

  /** Seconds of one product of {@code rows × inner × outer}. */
  double seconds(double rows, double inner, double outer) {
    if (measured != null) {
      double sum = 0;
      for (Pass pass : Pass.values()) {
        sum += measured.seconds(pass, rows, inner, outer);
      }
      return sum / Pass.values().length;
    }
    double side = Math.min(rows, Math.min(inner, outer));
    return 2 * rows * inner * outer / (gemm * side / (side + HALF_SIDE));
  }

  /** Seconds of grouped products of {@code rows} in all, {@code rowsOfOne} for each expert. */
  double groupedSeconds(double rows, double rowsOfOne, double inner, double outer) {
    if (measuredGroups != null) {
      double sum = 0;
      for (Pass pass : Pass.values()) {
        sum += measuredGroups.seconds(pass, rows / rowsOfOne, rows, inner, outer);
      }
      return sum / Pass.values().length;
    }
    double side = Math.min(rowsOfOne, Math.min(inner, outer));
    return 2 * rows * inner * outer / (grouped * side / (side + HALF_SIDE));
  }

  /** Seconds of attention's forward pass of so many FLOPs at their causal half. */
  double attentionForward(double flops) {
    return flops / attentionForward;
  }

  /** Seconds of its backward pass, which computes 2.5 times as much. */
  double attentionBackward(double flops) {
    return 2.5 * flops / attentionBackward;
  }
}
