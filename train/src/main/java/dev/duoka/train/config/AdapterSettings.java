package dev.duoka.train.config;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.AdapterConfigFile;
import dev.duoka.formats.adapter.AdapterFolder;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.adapter.AdapterNames;
import dev.duoka.train.config.binding.Doc;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Section {@code adapter}: what is trained beside the frozen weights. */
public record AdapterSettings(
    @Doc(
            value =
                "Folder of an adapter in PEFT's form to go on from, with `adapter_config.json` and"
                    + " `adapter_model.safetensors`. The first says what the other fields of this"
                    + " section would.",
            whenAbsent = "a new adapter, whose output is 0 at the start")
        Optional<Path> path,
    @Doc(
            value = "Rank of the adapters: the width between their two matrices.",
            byDefault = "" + AdapterConfig.USUAL_RANK,
            range = "[1, " + AdapterConfig.LARGEST_RANK + "]")
        int rank,
    @Doc(
            value = "An adapter's output is multiplied by alpha / rank.",
            whenAbsent = "twice `rank`",
            range = "(0, inf)")
        OptionalDouble alpha,
    @Doc(
            value =
                "Probability that an adapter does not see an input. Which ones follows from"
                    + " `training.seed`, the step, the adapter's name and the token alone.",
            byDefault = "0",
            range = "[0, 1)")
        double dropout,
    @Doc(value = "Divide alpha by the root of the rank instead (rsLoRA).", byDefault = "false")
        boolean rslora,
    @Doc(
            value = "Learn the magnitude of each output beside its direction (DoRA).",
            byDefault = "false")
        boolean dora,
    @Doc(
            value =
                "Linear layers with an adapter, by the ends of their names in transformers, for"
                    + " example `[q_proj, mlp.down_proj]`; `lm_head` too, where it is not the"
                    + " embedding; `[all-linear]` is all of the decoder layers' but routers and"
                    + " routed experts.",
            byDefault = "[all-linear]")
        List<String> modules,
    @Doc(
            value =
                "Linear layers with an adapter, by one regular expression for the whole name, for"
                    + " example `'.*\\.[0-9]\\.self_attn\\.[qv]_proj'`.",
            whenAbsent = "`modules` decides")
        Optional<String> modulesMatching,
    @Doc(
            value = "Linear layers without one all the same, by the ends of their names.",
            byDefault = "[]")
        List<String> exclude,
    @Doc(
            value =
                "Stacked routed experts with an adapter for each expert, by the ends of their"
                    + " names: `gate_up_proj`, `down_proj`. They have neither dropout nor DoRA.",
            byDefault = "[]")
        List<String> experts,
    @Doc(
            value =
                "What is trained whole beside the adapters, by the ends of names, for example"
                    + " `[embed_tokens, lm_head]`. Everything else is frozen.",
            byDefault = "[]")
        List<String> trainWhole,
    @Doc(
            value =
                "Other ranks, by regular expressions of the ends of names, for example"
                    + " `{'.*gate_up_proj': 32}`; the first that fits counts. They have the limits"
                    + " of `rank`.",
            byDefault = "{}")
        Map<String, @Nullable Object> rankPattern,
    @Doc(value = "Other alphas, likewise, above 0.", byDefault = "{}")
        Map<String, @Nullable Object> alphaPattern,
    @Doc(
            value =
                "In which form the frozen weights are kept. `nf4` is QLoRA's base"
                    + " (`load_in_4bit` elsewhere): the matrices of decoder layers in 4 bits, made"
                    + " while the weights load; embeddings, head, norms, biases and routers stay"
                    + " in `training.precision`.",
            byDefault = "dense")
        Base base,
    @Doc(
            value =
                "Keep the scales of `nf4` in 8 bits, too (`bnb_4bit_use_double_quant` elsewhere):"
                    + " 4.13 bits for a weight instead of 4.5.",
            byDefault = "true")
        boolean doubleQuantization) {
  /** What a run file calls the forms of a base. */
  public enum Base {
    DENSE,
    NF4
  }

  public AdapterSettings {
    modules = List.copyOf(modules);
    exclude = List.copyOf(exclude);
    experts = List.copyOf(experts);
    trainWhole = List.copyOf(trainWhole);
    rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
    alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern));
  }

  /**
   * The adapter as the model takes it.
   *
   * @throws IllegalArgumentException when a pattern is none, or says no number that can be
   */
  public AdapterConfig config() {
    return config(AdapterNames::inRunFile);
  }

  private AdapterConfig config(UnaryOperator<String> fields) {
    if (path.isPresent()) {
      AdapterFolder.require(path.get(), "adapter.path");
      return AdapterConfigFile.read(path.get()).adapter().on(baseForm());
    }
    return new AdapterConfig(
        rank,
        alpha.orElse(AdapterConfig.usualAlpha(rank)),
        dropout,
        rslora,
        dora,
        patterns(),
        new NamePatterns.Ends(exclude),
        experts,
        List.of(),
        ranks(fields.apply("rank_pattern")),
        alphas(fields.apply("alpha_pattern")),
        trainWhole,
        baseForm());
  }

  /**
   * As {@link #config()}, beside a base.
   *
   * @param tied whether embedding and head are one weight of the base
   */
  AdapterConfig beside(boolean tied) {
    return beside(tied, AdapterNames::inRunFile);
  }

  private AdapterConfig beside(boolean tied, UnaryOperator<String> fields) {
    AdapterConfig adapter = config(fields);
    path.ifPresent(folder -> AdapterConfigFile.read(folder).beside(tied, folder));
    return adapter;
  }

  /**
   * The model with this adapter.
   *
   * @throws DuokaException when a name fits nothing of the model, with the nearest that does
   * @throws IllegalArgumentException as {@link #config()}
   */
  public ModelConfig on(ModelConfig model) {
    return on(model, AdapterNames::inRunFile);
  }

  /**
   * As the other method.
   *
   * @param fields what error messages call a field of this section
   */
  ModelConfig on(ModelConfig model, UnaryOperator<String> fields) {
    AdapterConfig adapter = beside(model.tieEmbeddings(), fields);
    if (path.isEmpty()) { // an adapter's folder has tensors, which say more than names
      AdapterNames.requireFitting(ModelFactory.declared(model, 0).weights(), adapter, fields);
    }
    ModelConfig adapted = model.with(adapter);
    ModelFactory.declared(adapted, 0); // refuses what takes no adapter
    return adapted;
  }

  /** The form in which the frozen weights are kept. */
  public BaseForm baseForm() {
    return switch (base) {
      case DENSE -> BaseForm.DENSE;
      case NF4 -> doubleQuantization ? BaseForm.NF4 : BaseForm.NF4_SINGLE;
    };
  }

  /** What a file says that leaves all to the adapter's folder: the same beside a base like this. */
  AdapterSettings ofPath() {
    AdapterSettings unsaid = AdapterOption.parse(Map.of());
    return new AdapterSettings(
        path,
        unsaid.rank,
        unsaid.alpha,
        unsaid.dropout,
        unsaid.rslora,
        unsaid.dora,
        unsaid.modules,
        unsaid.modulesMatching,
        unsaid.exclude,
        unsaid.experts,
        unsaid.trainWhole,
        unsaid.rankPattern,
        unsaid.alphaPattern,
        base,
        doubleQuantization);
  }

  /** Whether {@link #modules} is what it is where a file does not say it. */
  boolean hasUsualModules() {
    return modules.equals(List.of(NamePatterns.ALL_LINEAR));
  }

  private NamePatterns patterns() {
    if (modulesMatching.isPresent()) {
      return new NamePatterns.Whole(modulesMatching.get());
    }
    return hasUsualModules() ? new NamePatterns.AllLinear() : new NamePatterns.Ends(modules);
  }

  private Map<String, Integer> ranks(String field) {
    Map<String, Integer> ranks = new LinkedHashMap<>();
    rankPattern.forEach(
        (name, value) -> {
          if (!(value instanceof Number number) || !AdapterConfig.isRank(number.doubleValue())) {
            throw wrong(
                field, name, value, "no whole number from 1 to " + AdapterConfig.LARGEST_RANK);
          }
          ranks.put(name, number.intValue());
        });
    return ranks;
  }

  private Map<String, Double> alphas(String field) {
    Map<String, Double> alphas = new LinkedHashMap<>();
    alphaPattern.forEach(
        (name, value) -> {
          if (!(value instanceof Number number)
              || !(number.doubleValue() > 0 && Double.isFinite(number.doubleValue()))) {
            throw wrong(field, name, value, "no number above 0");
          }
          alphas.put(name, number.doubleValue());
        });
    return alphas;
  }

  private static IllegalArgumentException wrong(
      String field, String name, @Nullable Object value, String valid) {
    return new IllegalArgumentException(
        field + " says " + value + " for '" + name + "', which is " + valid);
  }
}
