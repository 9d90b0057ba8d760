package dev.duoka.planner.time;

import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.Product;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.engine.autograd.Work;
import dev.duoka.hardware.AttentionTable;
import dev.duoka.hardware.Basis;
import dev.duoka.hardware.MachineProfile;
import dev.duoka.hardware.NumberFormat;
import dev.duoka.hardware.Pass;
import dev.duoka.hardware.ProductTable;
import dev.duoka.hardware.StreamSample;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.StateForm;
import dev.duoka.parallel.dryrun.StepParts;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the parts of a step take on a machine that was measured: products and attention by their
 * shapes, everything else by its bytes at the rate of its kind. One thread.
 */
final class PartPrices {
  /** The last product of a block, which full recompute does not run again. */
  private static final String LAST = "down_proj";

  private final MachineProfile profile;
  private final Map<NumberFormat, Optional<ProductTable>> plain = new EnumMap<>(NumberFormat.class);
  private final Map<NumberFormat, Optional<ProductTable>> groups =
      new EnumMap<>(NumberFormat.class);
  private final Optional<AttentionTable> attention;
  private final Map<String, StreamSample> streams = new HashMap<>();
  private final StreamSample copy;

  PartPrices(MachineProfile profile) {
    this.profile = profile;
    attention = profile.attentionTable();
    profile.streams().forEach(it -> streams.put(it.name(), it));
    copy =
        profile.stream(StreamSample.COPY)
            .orElseThrow(() -> new IllegalArgumentException("a profile without a copy"));
  }

  /** What a step with products of this format needs and was not measured; empty where all was. */
  static List<String> lacking(MachineProfile profile, NumberFormat format) {
    List<String> lacking = new ArrayList<>();
    if (profile.products(format, false).isEmpty()) {
      lacking.add("products in " + format);
    }
    if (profile.attention().isEmpty()) {
      lacking.add("attention");
    }
    if (profile.stream(StreamSample.COPY).isEmpty()) {
      lacking.add("streams of bytes");
    }
    return lacking;
  }

  /**
   * The price of a step of so many micro-batches.
   *
   * @param parts of a step without full recompute
   */
  PricedStep of(List<StepParts.Part> parts, int microBatches, Recompute recompute, StateForm form) {
    Seconds computing = new Seconds();
    Map<Phase, Double> byPhase = new EnumMap<>(Phase.class);
    for (StepParts.Part part : parts) {
      double seconds = seconds(part, recompute, form);
      byPhase.merge(part.phase(), seconds, Double::sum);
      if (part.phase() != Phase.UPDATE) {
        computing.add(cause(part.work()), seconds / microBatches, Basis.MEASURED);
      }
      if (recompute == Recompute.FULL
          && part.inBlock()
          && part.phase() == Phase.FORWARD
          && !part.name().contains(LAST)) {
        computing.add(cause(part.work()), seconds / microBatches, Basis.MEASURED);
        byPhase.merge(Phase.INPUT_GRADIENTS, seconds, Double::sum);
      }
    }
    return new PricedStep(
        computing,
        byPhase.getOrDefault(Phase.FORWARD, 0.0) / microBatches,
        byPhase.getOrDefault(Phase.INPUT_GRADIENTS, 0.0) / microBatches,
        byPhase.getOrDefault(Phase.WEIGHT_GRADIENTS, 0.0) / microBatches,
        byPhase.getOrDefault(Phase.UPDATE, 0.0));
  }

  private static Cause cause(Work work) {
    Product product = work.product();
    if (product == null) {
      return Cause.MEMORY_BOUND;
    }
    return product.shape() instanceof ProductShape.Attention ? Cause.ATTENTION : Cause.GEMM;
  }

  private double seconds(StepParts.Part part, Recompute recompute, StateForm form) {
    double beside = part.work().beside();
    return (beside == 0 ? 0 : copy.seconds(1, beside)) + ofWork(part, recompute, form);
  }

  private double ofWork(StepParts.Part part, Recompute recompute, StateForm form) {
    Product product = part.work().product();
    if (product == null) {
      return stream(part, recompute, form);
    }
    return switch (product.shape()) {
      case ProductShape.Linear it -> linear(it, product.phase());
      case ProductShape.Head it -> head(it);
      case ProductShape.Grouped it ->
          table(groups, format(it.dtype().toString(), false), true)
              .map(
                  table ->
                      table.seconds(
                          pass(product.phase()),
                          it.groups(),
                          (double) it.rows(),
                          (double) it.in(),
                          (double) it.out()))
              .orElseGet(() -> copy.seconds(1, part.work().bytes()));
      case ProductShape.Attention it -> attention(it, product.phase() == Phase.FORWARD);
    };
  }

  /** With factors in 8 bits, the input and the output's gradient are brought into them first. */
  private double linear(ProductShape.Linear it, Phase phase) {
    double seconds =
        plainSeconds(
            format(it.dtype().toString(), it.scaled()), pass(phase), it.rows(), it.in(), it.out());
    if (it.scaled() && phase != Phase.WEIGHT_GRADIENTS) {
      long width = phase == Phase.FORWARD ? it.in() : it.out();
      double bytes = (it.dtype().bytes() + 2.0) * it.rows() * width; // read once, written twice
      seconds += streams.getOrDefault(StreamSample.QUANTIZE, copy).seconds(1, bytes);
    }
    return seconds;
  }

  /** Its products, and the loss of the logits, read and written in place. */
  private double head(ProductShape.Head it) {
    double sum =
        streams
            .getOrDefault(StreamSample.CROSS_ENTROPY, copy)
            .seconds(1, 2.0 * it.rows() * it.out() * it.dtype().bytes());
    NumberFormat format = format(it.dtype().toString(), false);
    for (Phase phase : it.phases()) {
      sum += plainSeconds(format, pass(phase), it.rows(), it.in(), it.out());
    }
    return sum;
  }

  private double plainSeconds(NumberFormat format, Pass pass, long rows, long in, long out) {
    Optional<ProductTable> known = table(plain, format, false);
    return (known.isPresent() ? known : table(plain, NumberFormat.BF16, false))
        .orElseThrow()
        .seconds(pass, (double) rows, (double) in, (double) out);
  }

  private double attention(ProductShape.Attention it, boolean forward) {
    double heads = (double) it.batch() * it.heads();
    double flops = heads * it.length() * it.keys() * (double) (it.width() + it.valueWidth());
    return attention
        .orElseThrow()
        .seconds(
            forward,
            flops,
            heads,
            (double) it.length(),
            (double) it.width(),
            (double) it.valueWidth());
  }

  private double stream(StepParts.Part part, Recompute recompute, StateForm form) {
    String variant =
        part.phase() == Phase.UPDATE
            ? form.toString()
            : recompute == Recompute.SELECTIVE ? "selective" : "";
    String name = StreamSample.name(part.kind(), part.phase().name(), variant);
    return streams.getOrDefault(name, copy).seconds(1, part.work().bytes());
  }

  private Optional<ProductTable> table(
      Map<NumberFormat, Optional<ProductTable>> tables, NumberFormat format, boolean grouped) {
    return tables.computeIfAbsent(format, it -> profile.products(it, grouped));
  }

  /** fp16 is as fast as bf16. */
  private static NumberFormat format(String dtype, boolean scaled) {
    if (scaled) {
      return NumberFormat.FP8;
    }
    return dtype.contains("16") ? NumberFormat.BF16 : NumberFormat.FP32;
  }

  private static Pass pass(Phase phase) {
    return switch (phase) {
      case FORWARD -> Pass.FORWARD;
      case INPUT_GRADIENTS -> Pass.INPUT_GRADIENTS;
      case WEIGHT_GRADIENTS -> Pass.WEIGHT_GRADIENTS;
      case UPDATE -> throw new IllegalArgumentException("no product belongs to the update");
    };
  }
}
