package dev.duoka.model.adapter;

import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightAdapter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What of a model an adapter's config has matched, in words. */
public final class AdapterSummary {
  private AdapterSummary() {}

  /** Modules that have the same name but for the layer, and the same adapter. */
  private record Kind(
      String name, long width, double scale, boolean magnitudes, boolean oneByOne) {}

  /**
   * Rows of so many 16-bit numbers are whole packs, as products of all experts at once want them.
   */
  private static final long PACK = 8;

  /**
   * A line for each kind of module, for what is trained whole, for the number of weights and for
   * how many of them are kept in 4 bits.
   *
   * @param weights of the whole model, as they are declared
   */
  public static List<String> lines(List<Weight> weights) {
    Map<Kind, Integer> kinds = new LinkedHashMap<>();
    List<String> lines = new ArrayList<>();
    long trained = 0;
    long all = 0;
    long inFourBits = 0;
    for (Weight weight : weights) {
      WeightAdapter adapter = weight.adaptedBy();
      if (adapter != null) {
        for (WeightAdapter.Part part : adapter.parts()) {
          kinds.merge(
              new Kind(
                  part.module().replaceFirst("\\.\\d+\\.", ".*."),
                  part.width(),
                  part.scale(),
                  part.magnitude() != null,
                  weight.spec().sections().size() == 3 && part.width() % PACK != 0),
              1,
              Integer::sum);
        }
      } else if (weight.spec().trainable() && !weight.isAdapter()) {
        lines.add(
            "trained whole: "
                + String.join(
                    ", ",
                    weight.checkpointTensors().stream().map(CheckpointTensor::name).toList()));
      }
      all += weight.spec().elements();
      inFourBits += weight.spec().nf4() == null ? 0 : weight.spec().elements();
      trained += weight.spec().trainable() ? weight.spec().elements() : 0;
    }
    List<String> adapters = new ArrayList<>();
    kinds.forEach(
        (kind, count) ->
            adapters.add(
                String.format(
                    Locale.ROOT,
                    "adapter on %s × %d: rank %d, scale %s%s%s",
                    kind.name(),
                    count,
                    kind.width(),
                    kind.scale(),
                    kind.magnitudes() ? ", magnitudes" : "",
                    kind.oneByOne()
                        ? "; its products are computed expert by expert, at once with a multiple"
                            + " of 8"
                        : "")));
    adapters.addAll(lines);
    adapters.add(
        String.format(
            Locale.ROOT,
            "trained are %,d of %,d weights (%.3f %%)",
            trained,
            all,
            100.0 * trained / all));
    if (inFourBits > 0) {
      adapters.add(
          String.format(
              Locale.ROOT,
              "kept in 4 bits are %,d weights (%.1f %%), all else in 16 or more",
              inFourBits,
              100.0 * inFourBits / all));
    }
    return adapters;
  }
}
