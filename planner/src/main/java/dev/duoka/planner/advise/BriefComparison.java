package dev.duoka.planner.advise;

import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.layout.Method;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.ProductFormat;
import dev.duoka.planner.search.Plan;
import dev.duoka.planner.search.PlanRequest;
import dev.duoka.planner.search.Planner;
import dev.duoka.planner.shape.ModelShape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * A claim that is often repeated, beside what the model says: four A100 over NVLink train a 6 B
 * model 37 % faster than four RTX 4090 over PCIe 4, which cost a fifth.
 *
 * @param rows one for each method
 * @param rentRatio rent of the one machine over that of the other; empty where one is unknown
 * @param buyRatio the same for the price of the cards
 * @param why the two differ
 */
public record BriefComparison(
    List<Row> rows, OptionalDouble rentRatio, OptionalDouble buyRatio, List<String> why) {
  /** The claim. */
  public static final String CLAIM =
      "4 × A100 over NVLink train a 6 B model 37 % faster than 4 × RTX 4090 over PCIe 4, which cost"
          + " a fifth";

  private static final String MODEL = "deepseek-coder-6.7b";
  private static final long TOKENS_PER_STEP = 1 << 18;

  /**
   * One method.
   *
   * @param method which weights are trained
   * @param dataCentre tokens/s of the four A100
   * @param consumer tokens/s of the four RTX 4090
   * @param consumerLayout how the RTX 4090 manage it
   */
  public record Row(Method method, double dataCentre, double consumer, String consumerLayout) {
    /** How many times faster the A100 are. */
    public double ratio() {
      return dataCentre / consumer;
    }
  }

  public BriefComparison {
    rows = List.copyOf(rows);
    why = List.copyOf(why);
  }

  static BriefComparison of(Catalogue catalogue) {
    Machine a = catalogue.machine("4xA100-80G-SXM");
    Machine b = catalogue.machine("4xRTX-4090-24G");
    Planner planner = new Planner(catalogue);
    ModelShape shape = ModelShape.of(Presets.named(MODEL));
    List<Row> rows = new ArrayList<>();
    for (Method method : List.of(Method.FULL, Method.LORA, Method.QLORA)) {
      Optional<Plan> first = planner.bestPlan(request(shape, a, method));
      Optional<Plan> second = planner.bestPlan(request(shape, b, method));
      if (first.isPresent() && second.isPresent()) {
        rows.add(
            new Row(
                method,
                first.get().tokensPerSecond(),
                second.get().tokensPerSecond(),
                second.get().layout().toString()));
      }
    }
    return new BriefComparison(
        rows,
        ratio(a.rentPerHour(), b.rentPerHour()),
        ratio(a.buyPrice(), b.buyPrice()),
        List.of(
            "full training keeps 18 bytes per parameter, 112 GiB for 6.7 B: four RTX 4090 have 95,"
                + " so theirs is another job, with states in host memory; large batches hide that"
                + " traffic, small ones do not",
            "the tensor rates with fp32 accumulation are 312 and 165 TFLOP/s: nearly twice, not"
                + " 1.37 times; tables that set 330 beside 312 compare other arithmetic",
            "836 GB/s is no link of an RTX 4090: its memory has 1,008 GB/s, its PCIe 4 x16 has 31.5"
                + " each way, and without peer access rings reach about 10",
            "the price ratio is that of the dated prices in the catalogue; buying and renting"
                + " differ"));
  }

  private static PlanRequest request(ModelShape shape, Machine machine, Method method) {
    return new PlanRequest(
        MODEL,
        shape,
        machine,
        new Job(4096, TOKENS_PER_STEP, Job.DEFAULT_IMBALANCE),
        method,
        List.of(ProductFormat.halfPrecision(machine.card())),
        true,
        true,
        EngineTraits.DUOKA);
  }

  private static OptionalDouble ratio(OptionalDouble a, OptionalDouble b) {
    return a.isPresent() && b.isPresent()
        ? OptionalDouble.of(a.getAsDouble() / b.getAsDouble())
        : OptionalDouble.empty();
  }
}
