package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Precision;
import dev.duoka.train.config.AdapterOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The options that say which weights are trained, for all commands that plan or measure a step. */
final class AdapterOptions {
  @Option(
      names = "--method",
      paramLabel = "METHOD",
      defaultValue = "full",
      description = "full (default), lora or qlora; the next options are for these two.")
  private String method = "full";

  @Option(
      names = "--rank",
      paramLabel = "N",
      description = "Rank of the adapters (" + AdapterConfig.USUAL_RANK + ").")
  private @Nullable String rank;

  @Option(
      names = "--alpha",
      paramLabel = "NUMBER",
      description = "An adapter's output is multiplied by alpha / rank; by default twice the rank.")
  private @Nullable String alpha;

  @Option(
      names = "--dropout",
      paramLabel = "P",
      description = "Probability that an adapter does not see an input (0).")
  private @Nullable String dropout;

  @Option(names = "--dora", description = "Learn the magnitude of each output (DoRA).")
  private boolean dora;

  @Option(names = "--rslora", description = "Divide alpha by the root of the rank (rsLoRA).")
  private boolean rslora;

  @Option(
      names = "--modules",
      split = ",",
      paramLabel = "NAME",
      description =
          "Linear layers with an adapter, by the ends of their names: q_proj,v_proj. By default all"
              + " of the decoder layers but routers and routed experts.")
  private @Nullable List<String> modules;

  @Option(
      names = "--exclude",
      split = ",",
      paramLabel = "NAME",
      description = "Linear layers without one all the same.")
  private @Nullable List<String> exclude;

  @Option(
      names = "--experts",
      split = ",",
      paramLabel = "NAME",
      description = "Stacked experts with an adapter for each: gate_up_proj,down_proj.")
  private @Nullable List<String> experts;

  @Option(
      names = "--train-whole",
      split = ",",
      paramLabel = "NAME",
      description = "Modules that are trained whole beside the adapters: embed_tokens,lm_head.")
  private @Nullable List<String> trainWhole;

  @Option(
      names = "--rank-pattern",
      paramLabel = "REGEX=N",
      description = "Another rank where a name's end matches. Repeatable; the first counts.")
  private Map<String, Integer> rankPattern = new LinkedHashMap<>();

  @Option(
      names = "--double-quantization",
      negatable = true,
      description = "With qlora: keep the scales of 4-bit weights in 8 bits (default), or not.")
  private @Nullable Boolean doubleQuantization;

  /** Which weights are trained. */
  Method method() {
    return Method.named(method);
  }

  /**
   * Refuses what no run trains.
   *
   * @throws DuokaException with such options
   */
  void check(Precision precision, Offload offload) {
    if (method() == Method.QLORA && precision == Precision.FP8) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "--method qlora with --precision fp8: weights in 4 bits multiply in 16 bits or more",
          "Give --precision bf16.");
    }
    if (method().isAdapter() && offload != Offload.NONE) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "--method " + method() + " with --offload " + offload + ": an adapter's states are small",
          "Leave --offload out.");
    }
  }

  /**
   * The model with the adapter that is asked for; as it is where all weights are trained.
   *
   * @throws DuokaException where a name fits nothing of the model, a value is out of range, or an
   *     option goes with another method
   */
  ModelConfig on(ModelConfig model) {
    Method how = method();
    Map<String, String> fields = fields();
    if (!how.isAdapter()) {
      if (!fields.isEmpty()) {
        String first = fields.keySet().iterator().next();
        throw usage(first, how, "Adapters are trained by --method lora or qlora.");
      }
      return model;
    }
    if (how == Method.QLORA) {
      fields.put("base", "nf4");
    } else if (doubleQuantization != null) {
      throw usage("double_quantization", how, "Weights are kept in 4 bits by --method qlora.");
    }
    try {
      return AdapterOption.on(model, fields);
    } catch (IllegalArgumentException e) {
      throw new DuokaException(
          ErrorCode.USAGE, String.valueOf(e.getMessage()), "Correct the adapter's options.", e);
    }
  }

  private static DuokaException usage(String field, Method how, String remedy) {
    return new DuokaException(
        ErrorCode.USAGE, AdapterOption.name(field) + " with --method " + how, remedy);
  }

  /** What was asked for, as fields of a run file. */
  private Map<String, String> fields() {
    Map<String, String> fields = new LinkedHashMap<>();
    put(fields, "rank", rank);
    put(fields, "alpha", alpha);
    put(fields, "dropout", dropout);
    put(fields, "dora", dora ? "true" : null);
    put(fields, "rslora", rslora ? "true" : null);
    put(fields, "modules", list(modules));
    put(fields, "exclude", list(exclude));
    put(fields, "experts", list(experts));
    put(fields, "train_whole", list(trainWhole));
    put(fields, "rank_pattern", rankPattern.isEmpty() ? null : Json.line(ranks()));
    put(
        fields,
        "double_quantization",
        doubleQuantization == null ? null : doubleQuantization.toString());
    return fields;
  }

  private static void put(Map<String, String> fields, String name, @Nullable String value) {
    if (value != null) {
      fields.put(name, value);
    }
  }

  private ObjectNode ranks() {
    ObjectNode json = Json.object();
    rankPattern.forEach(json::put);
    return json;
  }

  /** A list in YAML; of an empty text an empty one. */
  private static @Nullable String list(@Nullable List<String> names) {
    if (names == null) {
      return null;
    }
    ArrayNode array = Json.object().putArray("names");
    names.stream().map(String::strip).filter(name -> !name.isEmpty()).forEach(array::add);
    return array.toString();
  }
}
