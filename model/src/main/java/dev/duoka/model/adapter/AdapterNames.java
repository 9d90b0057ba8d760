package dev.duoka.model.adapter;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.model.weight.BlockRange;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.Weight;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * Whether each name that an adapter's config says means something: one of several that is
 * misspelled would leave its modules without an adapter, and nobody would notice.
 */
public final class AdapterNames {
  private static final String MODULES = "modules";
  private static final String MATCHING = "modules_matching";
  private static final String EXCLUDE = "exclude";
  private static final String EXPERTS = "experts";
  private static final String WHOLE = "train_whole";

  private static final Map<String, String> PEFT =
      Map.of(
          MODULES, "target_modules",
          MATCHING, "target_modules",
          EXCLUDE, "exclude_modules",
          EXPERTS, "target_parameters",
          WHOLE, "modules_to_save");

  private final AdapterConfig config;
  private final UnaryOperator<String> fields;

  /** Those that can have an adapter. */
  private final List<String> linear;

  private final List<String> experts;

  /** Those of one expert alone, as a checkpoint may hold them, and of stacks. */
  private final List<String> ofExperts;

  /** All but stacked experts, norms and routers among them. */
  private final List<String> modules;

  private AdapterNames(List<Weight> weights, AdapterConfig config, UnaryOperator<String> fields) {
    this.config = config;
    this.fields = fields;
    List<Weight> base = weights.stream().filter(weight -> !weight.isAdapter()).toList();
    experts =
        base.stream()
            .filter(AdapterDeclarations::isExperts)
            .map(weight -> weight.spec().name())
            .toList();
    ofExperts =
        base.stream()
            .filter(AdapterDeclarations::isExperts)
            .flatMap(
                weight ->
                    Stream.concat(Stream.of(weight.spec().name()), AdapterNames.modules(weight)))
            .toList();
    linear =
        base.stream()
            .filter(AdapterDeclarations::isLinear)
            .filter(weight -> weight.spec().block() > BlockRange.EMBEDDING)
            .flatMap(AdapterNames::modules)
            .toList();
    modules =
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

  /** What a run file calls its field. */
  public static String inRunFile(String field) {
    return "adapter." + field;
  }

  /** Where a folder in PEFT's form may say it, or a run file. */
  static String inEither(String field) {
    String peft = PEFT.get(field);
    return peft == null ? field : field + " (PEFT's " + peft + ")";
  }

  /**
   * Refuses names that fit nothing of a whole model, and those that leave nothing to train.
   *
   * @param weights of the model, as they are declared with the adapter or without it
   * @param fields what error messages call a field of a run file's section {@code adapter}
   * @throws DuokaException with {@link ErrorCode#CONFIG}
   */
  public static void requireFitting(
      List<Weight> weights, AdapterConfig config, UnaryOperator<String> fields) {
    new AdapterNames(weights, config, fields).require();
  }

  private void require() {
    require(config.modules(), MODULES);
    require(config.excluded(), EXCLUDE);
    config.parameters().forEach(this::requireExperts);
    config.saved().forEach(this::requireSaved);
    config.rankPattern().keySet().forEach(pattern -> requirePattern("rank_pattern", pattern));
    config.alphaPattern().keySet().forEach(pattern -> requirePattern("alpha_pattern", pattern));
    requireAny();
  }

  private void require(NamePatterns patterns, String field) {
    switch (patterns) {
      case NamePatterns.Ends(List<String> names) -> {
        if (names.contains(NamePatterns.ALL_LINEAR)) {
          throw new DuokaException(
              ErrorCode.CONFIG,
              of(NamePatterns.ALL_LINEAR, field) + " stands among other names",
              "Give it alone, or name the layers: " + String.join(", ", lastWords(linear)));
        }
        for (String name : names) {
          NamePatterns its = new NamePatterns.Ends(List.of(name));
          requireLinear(field, name, its::matches);
        }
      }
      case NamePatterns.Whole whole ->
          requireWhole(field.equals(MODULES) ? MATCHING : field, whole);
      case NamePatterns.AllLinear _, NamePatterns.Within _ -> {
        // Say no names that could be misspelled, or are looked at where they are read.
      }
    }
  }

  /** What fits a module that takes no adapter is refused where adapters are declared. */
  private void requireLinear(String field, String name, Predicate<String> fits) {
    if (modules.stream().noneMatch(fits)) {
      if (isTiedHead(name)) {
        throw tied(
            name,
            field,
            field.equals(MODULES)
                ? "It takes no adapter: train it whole, by embed_tokens in " + fields.apply(WHOLE)
                : "It takes no adapter: remove the name");
      }
      if (ofExperts.stream().anyMatch(fits)) {
        throw new DuokaException(
            ErrorCode.CONFIG,
            of(name, field) + " names stacked experts, not linear layers",
            field.equals(MODULES)
                ? expertsInstead()
                : "They have adapters only where " + fields.apply(EXPERTS) + " names them.");
      }
      require(field, name, fits, linear, "linear layer");
    }
  }

  private void requireExperts(String name) {
    Predicate<String> fits = new NamePatterns.Ends(List.of(name))::matches;
    if (experts.stream().noneMatch(fits) && linear.stream().anyMatch(fits) && !experts.isEmpty()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          of(name, EXPERTS) + " names linear layers, not stacked experts",
          "Name it in "
              + fields.apply(MODULES)
              + ". Stacked experts are "
              + String.join(" and ", lastWords(experts))
              + ".");
    }
    require(EXPERTS, name, fits, experts, "stacked experts");
  }

  private void requireSaved(String name) {
    Predicate<String> fits = module -> AdapterConfig.isWithin(module, name);
    if (modules.stream().noneMatch(fits)) {
      if (isTiedHead(name)) {
        throw tied(name, WHOLE, "Name embed_tokens instead");
      }
      if (ofExperts.stream().anyMatch(fits)) {
        throw new DuokaException(
            ErrorCode.CONFIG,
            of(name, WHOLE) + " names stacked experts, which are not trained whole",
            expertsInstead());
      }
      require(WHOLE, name, fits, modules, "module that can be trained whole");
    }
  }

  private String expertsInstead() {
    return "Give them adapters by "
        + fields.apply(EXPERTS)
        + ": "
        + String.join(", ", lastWords(experts))
        + ".";
  }

  private boolean isTiedHead(String name) {
    return lastWord(name).equals(AdapterDeclarations.HEAD)
        && !modules.contains(AdapterDeclarations.HEAD);
  }

  private DuokaException tied(String name, String field, String remedy) {
    return new DuokaException(
        ErrorCode.CONFIG,
        of(name, field) + " is the embedding in this model, which has one weight for both",
        remedy);
  }

  private void requireWhole(String field, NamePatterns.Whole whole) {
    String expression = whole.expression();
    if (linear.isEmpty() || modules.stream().anyMatch(whole::matches)) {
      return;
    }
    String longer = ".*" + (expression.contains("|") ? "(" + expression + ")" : expression);
    String hint =
        modules.stream().anyMatch(new NamePatterns.Whole(longer)::matches)
            ? " '" + longer + "' would."
            : NearestName.of(lastWord(expression), lastWords(linear))
                .map(near -> " Did you mean '" + near + "'?")
                .orElse("");
    throw new DuokaException(
        ErrorCode.CONFIG,
        of(expression, field) + " fits no linear layer in the model",
        "The expression has to match a whole name, such as " + linear.getFirst() + "." + hint);
  }

  private void requirePattern(String field, String pattern) {
    require(
        field,
        pattern,
        name -> AdapterConfig.isMeant(pattern, name),
        Stream.concat(linear.stream(), experts.stream()).toList(),
        "linear layer and no stacked experts");
  }

  /** Of names that all fit, one list may take back what another one gives. */
  private void requireAny() {
    boolean all = config.modules() instanceof NamePatterns.AllLinear;
    List<String> named =
        linear.stream()
            .filter(name -> !all || !name.equals(AdapterDeclarations.HEAD))
            .filter(config.modules()::matches)
            .toList();
    if (!config.saved().isEmpty()
        || !config.parameters().isEmpty()
        || named.stream().anyMatch(config::adapts)) {
      return;
    }
    String modulesField =
        fields.apply(config.modules() instanceof NamePatterns.Whole ? MATCHING : MODULES);
    if (!named.isEmpty() && named.stream().allMatch(config.excluded()::matches)) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          fields.apply(EXCLUDE)
              + " ("
              + NamePatterns.text(config.excluded())
              + ") leaves out all that "
              + modulesField
              + " means, so that nothing is trained",
          "Name less there: " + String.join(", ", lastWords(named)) + " are left out.");
    }
    if (config.modules() instanceof NamePatterns.Ends(List<String> names) && names.isEmpty()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          modulesField
              + ", "
              + fields.apply(EXPERTS)
              + " and "
              + fields.apply(WHOLE)
              + " are empty, so that nothing is trained",
          "Name something in one of them.");
    }
  }

  private String of(String name, String field) {
    return "'" + name + "' of " + fields.apply(field);
  }

  private static String lastWord(String name) {
    return name.substring(name.lastIndexOf('.') + 1);
  }

  private static List<String> lastWords(Collection<String> names) {
    return names.stream().map(AdapterNames::lastWord).distinct().toList();
  }

  private void require(
      String field, String name, Predicate<String> fits, Collection<String> names, String kind) {
    if (names.stream().anyMatch(fits)) {
      return;
    }
    List<String> words = lastWords(names);
    throw new DuokaException(
        ErrorCode.CONFIG,
        of(name, field) + " fits no " + kind + " in the model",
        words.isEmpty()
            ? "It has none: remove the name."
            : NearestName.hint(lastWord(name), words));
  }
}
