package dev.duoka.planner;

import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.planner.shape.ModelShape;
import java.util.List;
import java.util.Random;

/** Models and layouts drawn from a seed. */
public final class RandomCases {
  private final Random random;

  /** Cases of one seed. */
  public RandomCases(long seed) {
    random = new Random(seed);
  }

  /** One of the published models. */
  public ModelShape shape() {
    List<String> names = Presets.names().subList(0, 8);
    return ModelShape.of(Presets.named(names.get(random.nextInt(names.size()))));
  }

  /** A layout that a model allows. */
  public Layout layout(ModelShape shape) {
    int experts = shape.hasExperts() ? power(3) : 1;
    Layout layout =
        new Layout(
            Math.max(experts, power(3)),
            power(3),
            power(2),
            experts,
            power(1),
            random.nextInt(4),
            power(3),
            power(4),
            pick(Recompute.values()),
            pick(Offload.values()),
            pick(LossKind.values()),
            random.nextBoolean() ? Precision.BF16 : Precision.FP32,
            pick(Method.values()));
    return layout.with(
        layout.zero(), layout.offload(), pick(OffloadUpdate.values()), layout.states());
  }

  private int power(int most) {
    return 1 << random.nextInt(most + 1);
  }

  private <T> T pick(T[] values) {
    return values[random.nextInt(values.length)];
  }
}
