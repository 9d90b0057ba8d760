package dev.duoka.model.adapter;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.Weight;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Whether each name that an adapter's config says means something: one of several that is
 * misspelled would leave its modules without an adapter, and nobody would notice.
 */
public final class AdapterNames {
  private final List<String> linear;
  private final List<String> experts;
  private final List<String> whole;

  private AdapterNames(List<Weight> weights) {
    List<Weight> base = weights.stream().filter(weight -> !weight.isAdapter()).toList();
    experts =
        base.stream()
            .filter(AdapterDeclarations::isExperts)
            .map(weight -> weight.spec().name())
            .toList();
    linear =
        base.stream().filter(AdapterDeclarations::isLinear).flatMap(AdapterNames::modules).toList();
    whole =
        base.stream()
            .filter(weight -> !AdapterDeclarations.isExperts(weight))
            .flatMap(AdapterNames::modules)
            .toList();
  }

  private static Stream<String> modules(Weight weight) {
    return weight.checkpointTensors().stream()
        .filter(tensor -> !tensor.isBias())
        .map(CheckpointTensor::module);
  }

  /**
   * Refuses names that fit nothing of a whole model.
   *
   * @param weights of the model, as they are declared with the adapter
   * @throws DuokaException with {@link ErrorCode#CONFIG}
   */
  public static void requireFitting(List<Weight> weights, AdapterConfig config) {
    AdapterNames names = new AdapterNames(weights);
    names.require("modules", config.modules());
    names.require("exclude", config.excluded());
    for (String name : config.parameters()) {
      NamePatterns its = new NamePatterns.Ends(List.of(name));
      require("experts", name, its::matches, names.experts, "stacked experts");
    }
    for (String name : config.saved()) {
      require(
          "train_whole",
          name,
          module -> AdapterConfig.isWithin(module, name),
          names.whole,
          "module that can be trained whole");
    }
    List<String> adapted = Stream.concat(names.linear.stream(), names.experts.stream()).toList();
    for (String pattern : config.rankPattern().keySet()) {
      requirePattern("rank_pattern", pattern, adapted);
    }
    for (String pattern : config.alphaPattern().keySet()) {
      requirePattern("alpha_pattern", pattern, adapted);
    }
  }

  private void require(String field, NamePatterns patterns) {
    switch (patterns) {
      case NamePatterns.Ends(List<String> names) -> {
        if (names.contains(NamePatterns.ALL_LINEAR)) {
          throw new DuokaException(
              ErrorCode.CONFIG,
              "'" + NamePatterns.ALL_LINEAR + "' of adapter." + field + " stands among other names",
              "Give it alone, or name the layers: " + String.join(", ", lastWords(linear)));
        }
        for (String name : names) {
          NamePatterns its = new NamePatterns.Ends(List.of(name));
          require(field, name, its::matches, linear, "linear layer");
        }
      }
      case NamePatterns.Whole whole ->
          require("modules_matching", whole.expression(), whole::matches, linear, "linear layer");
      case NamePatterns.AllLinear _, NamePatterns.Within _ -> {
        // Say no names that could be misspelled, or are looked at where they are read.
      }
    }
  }

  private static List<String> lastWords(Collection<String> names) {
    return names.stream().map(it -> it.substring(it.lastIndexOf('.') + 1)).distinct().toList();
  }

  private static void requirePattern(String field, String pattern, List<String> names) {
    require(
        field,
        pattern,
        name -> AdapterConfig.isMeant(pattern, name),
        names,
        "linear layer and no stacked experts");
  }

  private static void require(
      String field, String name, Predicate<String> fits, Collection<String> names, String kind) {
    if (names.stream().anyMatch(fits)) {
      return;
    }
    List<String> words = lastWords(names);
    throw new DuokaException(
        ErrorCode.CONFIG,
        "'" + name + "' of adapter." + field + " fits no " + kind + " in the model",
        words.isEmpty()
            ? "It has none: remove the name."
            : NearestName.hint(name.substring(name.lastIndexOf('.') + 1), words));
  }
}
