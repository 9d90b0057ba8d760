package dev.duoka.formats.adapter;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What an adapter is, and which weights of a model have one: LoRA (Hu et al., arXiv:2106.09685),
 * rsLoRA (Kalajdzievski, arXiv:2312.03732) and DoRA (Liu et al., arXiv:2402.09353). Everything else
 * of the model is frozen. Names are those that transformers gives to modules, {@code
 * model.layers.0.self_attn.q_proj} for example.
 *
 * @param rank the width between the two matrices, where no pattern says another
 * @param alpha what is divided by the rank, or its root, likewise
 * @param dropout the probability that an adapter does not see an input, from 0 to below 1
 * @param rootScaled whether alpha is divided by the root of the rank (rsLoRA)
 * @param magnitudes whether each output has a learnt magnitude (DoRA)
 * @param modules linear layers with an adapter
 * @param excluded linear layers without one, whatever {@code modules} says
 * @param parameters stacked experts with an adapter for each expert, by the ends of their names
 * @param layers decoder layers that have adapters in modules; empty for all
 * @param rankPattern ranks by regular expressions of the ends of names; the first that fits counts
 * @param alphaPattern likewise of alpha
 * @param saved modules that are trained whole, embedding and output head for example
 * @param baseForm in which form the frozen weights are kept; PEFT's file does not say it
 */
public record AdapterConfig(
    int rank,
    double alpha,
    double dropout,
    boolean rootScaled,
    boolean magnitudes,
    NamePatterns modules,
    NamePatterns excluded,
    List<String> parameters,
    List<Integer> layers,
    Map<String, Integer> rankPattern,
    Map<String, Double> alphaPattern,
    List<String> saved,
    BaseForm baseForm) {
  /** The rank where nothing else is said. */
  public static final int USUAL_RANK = 16;

  /** The largest rank. */
  public static final int LARGEST_RANK = 65_536;

  /** What is trained where nothing else is said: plain LoRA on all linear layers. */
  public static final AdapterConfig USUAL =
      lora(USUAL_RANK, usualAlpha(USUAL_RANK), new NamePatterns.AllLinear());

  private static final String RANKS = "ranks are from 1 to " + LARGEST_RANK;
  private static final String NUMBER = "it is a number";
  private static final Pattern LAYER = Pattern.compile(".*?\\.[^.]*\\.(\\d+)\\..*");

  public AdapterConfig {
    parameters = List.copyOf(parameters);
    layers = List.copyOf(layers);
    rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern)); // in their order
    alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern));
    saved = List.copyOf(saved);
    require(isRank(rank), "a rank (r) of " + rank, RANKS);
    rankPattern.forEach(
        (name, one) -> require(isRank(one), "a rank of " + of(one, name, "rank"), RANKS));
    alphaPattern.forEach(
        (name, one) ->
            require(Double.isFinite(one), "an alpha of " + of(one, name, "alpha"), NUMBER));
    rankPattern.keySet().forEach(NamePatterns.Whole::new); // refuses what is no expression
    alphaPattern.keySet().forEach(NamePatterns.Whole::new);
    require(Double.isFinite(alpha), "an alpha of " + alpha, NUMBER);
    require(dropout >= 0 && dropout < 1, "a dropout of " + dropout, "it is from 0 to below 1");
  }

  private static String of(Object value, String name, String what) {
    return value + " for '" + name + "' in " + what + "_pattern";
  }

  private static void require(boolean holds, String problem, String valid) {
    if (!holds) {
      throw new IllegalArgumentException("an adapter cannot have " + problem + ": " + valid);
    }
  }

  /** Whether a number can be a rank. */
  public static boolean isRank(double number) {
    return number >= 1 && number <= LARGEST_RANK && number == Math.rint(number);
  }

  /** The alpha of a rank where nothing else is said, which makes an adapter's factor 2. */
  public static double usualAlpha(int rank) {
    return 2.0 * rank;
  }

  /** Plain LoRA on these modules. */
  public static AdapterConfig lora(int rank, double alpha, NamePatterns modules) {
    return new AdapterConfig(
        rank,
        alpha,
        0,
        false,
        false,
        modules,
        NamePatterns.NONE,
        List.of(),
        List.of(),
        Map.of(),
        Map.of(),
        List.of(),
        BaseForm.DENSE);
  }

  /** Patterns count in their order, since the first that fits does. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof AdapterConfig that && parts().equals(that.parts());
  }

  @Override
  public int hashCode() {
    return parts().hashCode();
  }

  private List<Object> parts() {
    return List.of(
        rank,
        alpha,
        dropout,
        rootScaled,
        magnitudes,
        modules,
        excluded,
        parameters,
        layers,
        List.copyOf(rankPattern.entrySet()),
        List.copyOf(alphaPattern.entrySet()),
        saved,
        baseForm);
  }

  /** The same adapter beside frozen weights in another form. */
  public AdapterConfig on(BaseForm form) {
    return new AdapterConfig(
        rank,
        alpha,
        dropout,
        rootScaled,
        magnitudes,
        modules,
        excluded,
        parameters,
        layers,
        rankPattern,
        alphaPattern,
        saved,
        form);
  }

  /** The same adapter, which sees every input. */
  public AdapterConfig withoutDropout() {
    return new AdapterConfig(
        rank,
        alpha,
        0,
        rootScaled,
        magnitudes,
        modules,
        excluded,
        parameters,
        layers,
        rankPattern,
        alphaPattern,
        saved,
        baseForm);
  }

  /** The rank of the adapter of a module or parameter. */
  public int rankOf(String name) {
    return pattern(rankPattern, name).orElse(rank);
  }

  /** What its output is multiplied by. */
  public double scaleOf(String name) {
    int its = rankOf(name);
    return pattern(alphaPattern, name).orElse(alpha) / (rootScaled ? Math.sqrt(its) : its);
  }

  private static <T> Optional<T> pattern(Map<String, T> patterns, String name) {
    return patterns.entrySet().stream()
        .filter(entry -> isMeant(entry.getKey(), name))
        .map(Map.Entry::getValue)
        .findFirst();
  }

  /** Whether a name ends in what a regular expression of a rank or alpha matches. */
  public static boolean isMeant(String pattern, String name) {
    return Pattern.compile("(.*\\.)?(" + pattern + ")$").matcher(name).lookingAt();
  }

  /**
   * Whether it may tell layers of a kind apart: by their numbers, or by an expression that may have
   * them in it.
   */
  public boolean mayTellLayersApart() {
    return !layers.isEmpty()
        || modules.mayTellLayersApart()
        || excluded.mayTellLayersApart()
        || Stream.of(parameters, saved, rankPattern.keySet(), alphaPattern.keySet())
            .flatMap(Collection::stream)
            .anyMatch(NamePath::mayNumber);
  }

  /** Whether a linear layer has an adapter. */
  public boolean adapts(String module) {
    return modules.matches(module)
        && !excluded.matches(module)
        && !isSaved(module)
        && isInLayers(module);
  }

  private boolean isInLayers(String module) {
    if (layers.isEmpty()) {
      return true;
    }
    Matcher matcher = LAYER.matcher(module);
    return matcher.matches() && layers.contains(Integer.parseInt(matcher.group(1)));
  }

  /** Whether stacked experts have adapters. */
  public boolean adaptsExperts(String parameter) {
    return new NamePatterns.Ends(parameters).matches(parameter);
  }

  /** Whether a module, or one that it is in, is trained whole. */
  public boolean isSaved(String module) {
    return saved.stream().anyMatch(name -> isWithin(module, name));
  }

  /** Whether the name of a module, or of one that it is in, ends so. */
  public static boolean isWithin(String module, String name) {
    for (int end = module.length(); end > 0; end = module.lastIndexOf('.', end - 1)) {
      if (module.substring(0, end).endsWith(name)) {
        return true;
      }
    }
    return false;
  }
}
