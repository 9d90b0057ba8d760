package dev.duoka.model.adapter;

import dev.duoka.base.Plural;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightAdapter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** What of a model an adapter's config has matched, in words. */
public final class AdapterSummary {
  private AdapterSummary() {}

  /**
   * What adapters may have in common.
   *
   * @param experts in each stack of them; 0 for a linear layer
   */
  private record Kind(long width, double scale, boolean magnitudes, long experts) {
    /**
     * Rows of so many 16-bit numbers are whole packs, as products of all experts at once want them.
     */
    private static final long PACK = 8;

    static Kind of(Weight weight, WeightAdapter.Part part) {
      return new Kind(
          part.width(),
          part.scale(),
          part.magnitude() != null,
          AdapterDeclarations.isExperts(weight)
              ? weight.spec().sections().getFirst().getFirst().count()
              : 0);
    }

    String text() {
      return "rank " + width + ", scale " + scale + (magnitudes ? ", magnitudes" : "");
    }

    String count(int modules) {
      return experts == 0
          ? Plural.of(modules, "module")
          : Plural.of(modules, "stack") + " of " + Plural.of(experts, "expert");
    }

    String note() {
      return experts > 0 && width % PACK != 0
          ? "; its products are computed expert by expert, at once with a multiple of 8"
          : "";
    }
  }

  /**
   * A line for the adapters that are alike in the same layers, for what is trained whole, for the
   * number of weights and for how many of them are kept in 4 bits.
   *
   * @param weights of the whole model, as they are declared
   */
  public static List<String> lines(List<Weight> weights) {
    ModuleGroups groups = new ModuleGroups(weights);
    List<String> lines = new ArrayList<>(adapters(weights, groups));
    List<Weight> whole = weights.stream().filter(AdapterSummary::isWhole).toList();
    if (!whole.isEmpty()) {
      lines.add(
          "trained whole: "
              + groups.of(whole.stream().flatMap(ModuleGroups::modules).toList()).stream()
                  .map(ModuleGroups.Group::text)
                  .collect(Collectors.joining("; "))
              + ": "
              + Plural.of(elements(whole), "weight"));
    }
    long all = elements(weights);
    long trained = elements(weights.stream().filter(it -> it.spec().trainable()).toList());
    lines.add(
        String.format(
            Locale.ROOT,
            "trained are %,d of %,d weights (%.3f %%)",
            trained,
            all,
            100.0 * trained / all));
    long inFourBits = elements(weights.stream().filter(it -> it.spec().nf4() != null).toList());
    if (inFourBits > 0) {
      lines.add(
          String.format(
              Locale.ROOT,
              "kept in 4 bits are %,d weights (%.1f %%), all else in 16 or more",
              inFourBits,
              100.0 * inFourBits / all));
    }
    return lines;
  }

  private static List<String> adapters(List<Weight> weights, ModuleGroups groups) {
    Map<Kind, Map<String, Long>> kinds = new LinkedHashMap<>();
    for (Weight weight : weights) {
      WeightAdapter adapter = weight.adaptedBy();
      if (adapter != null) {
        for (WeightAdapter.Part part : adapter.parts()) {
          kinds
              .computeIfAbsent(Kind.of(weight, part), _ -> new LinkedHashMap<>())
              .put(part.module(), elements(adapter, part));
        }
      }
    }
    List<String> lines = new ArrayList<>();
    kinds.forEach(
        (kind, modules) -> {
          for (ModuleGroups.Group group : groups.of(modules.keySet())) {
            long trained =
                group.modules().stream().mapToLong(it -> modules.getOrDefault(it, 0L)).sum();
            lines.add(
                "adapter on "
                    + group.text()
                    + " ("
                    + kind.text()
                    + "): "
                    + kind.count(group.modules().size())
                    + ", "
                    + Plural.of(trained, "weight")
                    + kind.note());
          }
        });
    return lines;
  }

  private static boolean isWhole(Weight weight) {
    return weight.adaptedBy() == null && weight.spec().trainable() && !weight.isAdapter();
  }

  private static long elements(List<Weight> weights) {
    return weights.stream().mapToLong(it -> it.spec().elements()).sum();
  }

  /** Of one part: its share of A, B and the magnitude. */
  private static long elements(WeightAdapter adapter, WeightAdapter.Part part) {
    long width = adapter.parts().stream().mapToLong(WeightAdapter.Part::width).sum();
    Weight magnitude = part.magnitude();
    return adapter.down().spec().elements() / width * part.width()
        + part.up().spec().elements()
        + (magnitude == null ? 0 : magnitude.spec().elements());
  }
}
