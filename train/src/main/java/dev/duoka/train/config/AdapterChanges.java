package dev.duoka.train.config;

import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.train.config.binding.FieldChange;
import dev.duoka.train.config.binding.YamlWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/** What differs between two adapters, under the names that a run file has for it. */
public final class AdapterChanges {
  private static final String SECTION = "adapter.";

  /** Which decoder layers have adapters: a run file says it by its modules' names alone. */
  private static final String LAYERS = "layers_to_transform of adapter.path";

  private static final Set<String> OF_BASE =
      Set.of(SECTION + "base", SECTION + "double_quantization");

  private AdapterChanges() {}

  /**
   * The fields that differ, in alphabetical order; an alpha that is twice the rank on both sides
   * follows from it and is none.
   */
  public static List<FieldChange> between(AdapterConfig before, AdapterConfig after) {
    List<FieldChange> changes = new ArrayList<>();
    for (FieldChange change : YamlWriter.changes(settings(before), settings(after))) {
      boolean follows = change.key().equals("alpha") && isUsual(before) && isUsual(after);
      FieldChange shown =
          new FieldChange(
              SECTION + change.key(), orNothing(change.before()), orNothing(change.after()));
      if (!follows && !shown.before().equals(shown.after())) {
        changes.add(shown);
      }
    }
    inOtherOrder("rank_pattern", before.rankPattern(), after.rankPattern()).ifPresent(changes::add);
    inOtherOrder("alpha_pattern", before.alphaPattern(), after.alphaPattern())
        .ifPresent(changes::add);
    if (!before.layers().equals(after.layers())) {
      changes.add(new FieldChange(LAYERS, layers(before), layers(after)));
    }
    return changes;
  }

  /** The same patterns, of which another one is the first that fits. */
  private static Optional<FieldChange> inOtherOrder(
      String field, Map<String, ?> before, Map<String, ?> after) {
    boolean same = before.keySet().equals(after.keySet());
    String first = String.join(", ", before.keySet());
    String second = String.join(", ", after.keySet());
    return same && !first.equals(second)
        ? Optional.of(new FieldChange(SECTION + field, first, second))
        : Optional.empty();
  }

  /** Whether they are of the base's form alone, beside which the same adapter can go on. */
  public static boolean areOfBase(List<FieldChange> changes) {
    return changes.stream().allMatch(change -> OF_BASE.contains(change.key()));
  }

  private static boolean isUsual(AdapterConfig adapter) {
    return adapter.alpha() == AdapterConfig.usualAlpha(adapter.rank());
  }

  /** Lists and patterns that say nothing are not set. */
  private static String orNothing(String value) {
    return value.equals("[]") || value.equals("{}") ? "" : value;
  }

  private static String layers(AdapterConfig adapter) {
    return adapter.layers().isEmpty() ? "all" : adapter.layers().toString();
  }

  /** What a run file would say. */
  private static AdapterSettings settings(AdapterConfig adapter) {
    return new AdapterSettings(
        Optional.empty(),
        adapter.rank(),
        OptionalDouble.of(adapter.alpha()),
        adapter.dropout(),
        adapter.rootScaled(),
        adapter.magnitudes(),
        names(adapter.modules()),
        adapter.modules() instanceof NamePatterns.Whole whole
            ? Optional.of(whole.expression())
            : Optional.empty(),
        adapter.excluded() instanceof NamePatterns.Whole whole
            ? List.of(NamePatterns.text(whole))
            : names(adapter.excluded()),
        adapter.parameters(),
        adapter.saved(),
        new LinkedHashMap<>(adapter.rankPattern()),
        new LinkedHashMap<>(adapter.alphaPattern()),
        adapter.baseForm().isInFourBits() ? AdapterSettings.Base.NF4 : AdapterSettings.Base.DENSE,
        adapter.baseForm() != BaseForm.NF4_SINGLE);
  }

  private static List<String> names(NamePatterns patterns) {
    return switch (patterns) {
      case NamePatterns.Ends ends -> ends.names();
      case NamePatterns.Within within -> within.paths();
      case NamePatterns.AllLinear _ -> List.of(NamePatterns.ALL_LINEAR);
      case NamePatterns.Whole _ -> List.of();
    };
  }
}
