package dev.duoka.formats.adapter;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonFields;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * PEFT's {@code adapter_config.json} (huggingface/peft 0.21, {@code LoraConfig}). A field that asks
 * for something not built here is refused by its name, known to this class or not.
 *
 * @param adapter what it says of the adapter
 * @param base the folder or the hub's name of the model that the adapter was made for; empty where
 *     it does not say
 * @param tying whether embedding and head, where they are one weight of the base, are trained as
 *     one; without it PEFT trains a copy of the embedding and leaves the head as the base has it
 */
public record AdapterConfigFile(AdapterConfig adapter, Optional<String> base, boolean tying) {
  /** The file's name in an adapter's folder. */
  public static final String FILE_NAME = "adapter_config.json";

  /** Fields that change nothing that is computed from a finished adapter. */
  private static final Set<String> WITHOUT_EFFECT =
      Set.of(
          "auto_mapping",
          "eva_config",
          "inference_mode",
          "loftq_config",
          "megatron_core",
          "peft_version",
          "qalora_group_size",
          "revision",
          "runtime_config");

  /** Ways to draw the first weights that leave the base as it is. */
  private static final Set<String> STARTS =
      Set.of("true", "false", "gaussian", "eva", "orthogonal");

  private static final Set<String> READ =
      Set.of(
          "base_model_name_or_path",
          "r",
          "lora_alpha",
          "lora_dropout",
          "use_rslora",
          "use_dora",
          "target_modules",
          "exclude_modules",
          "target_parameters",
          "layers_to_transform",
          "rank_pattern",
          "alpha_pattern",
          "modules_to_save",
          "peft_type",
          "task_type",
          "bias",
          "ensure_weight_tying",
          "init_lora_weights");

  private static final Set<String> ENDS = Set.of("embed_tokens", "lm_head");

  /** Whether a folder holds an adapter. */
  public static boolean isIn(Path folder) {
    return Files.isRegularFile(folder.resolve(FILE_NAME));
  }

  /** Reads the file of an adapter's folder. */
  public static AdapterConfigFile read(Path folder) {
    Path file = folder.resolve(FILE_NAME);
    return read(Json.parse(file, ErrorCode.CONFIG), file.toString());
  }

  /**
   * Reads what is parsed already.
   *
   * @param source what error messages call it
   */
  public static AdapterConfigFile read(JsonNode root, String source) {
    JsonFields fields = JsonFields.of(root, source, ErrorCode.CONFIG);
    refuseOthers(fields);
    try {
      return new AdapterConfigFile(
          new AdapterConfig(
              fields.integer("r"),
              fields.number("lora_alpha"),
              fields.number("lora_dropout", 0),
              fields.flag("use_rslora", false),
              fields.flag("use_dora", false),
              patterns(fields, "target_modules"),
              patterns(fields, "exclude_modules"),
              fields.texts("target_parameters"),
              layers(fields),
              numbers(fields, "rank_pattern", of -> of::integer),
              numbers(fields, "alpha_pattern", of -> of::number),
              fields.texts("modules_to_save"),
              BaseForm.DENSE),
          fields.text("base_model_name_or_path"),
          fields.flag("ensure_weight_tying", false));
    } catch (IllegalArgumentException e) {
      throw fields.error(String.valueOf(e.getMessage()), "Correct the field.");
    }
  }

  /** Whether an adapter trains the embedding or the head whole. */
  public static boolean trainsEnds(AdapterConfig adapter) {
    return adapter.saved().stream()
        .anyMatch(name -> ENDS.contains(name.substring(name.lastIndexOf('.') + 1)));
  }

  /**
   * The adapter beside a base.
   *
   * @param tied whether embedding and head are one weight of the base
   * @param folder of the adapter, for error messages
   * @throws DuokaException when it means to train the two apart
   */
  public AdapterConfig beside(boolean tied, Path folder) {
    if (tied && !tying && trainsEnds(adapter)) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the adapter of "
              + folder
              + " trains "
              + String.join(", ", adapter.saved())
              + " whole without ensure_weight_tying, beside a base whose embedding and head are one"
              + " weight: so PEFT trains them apart, which is not supported here",
          "Set ensure_weight_tying to true in "
              + FILE_NAME
              + " if both have changed alike, or untie the base");
    }
    return adapter;
  }

  /**
   * The base's folder.
   *
   * @param folder of the adapter, which a path may be relative to
   * @throws DuokaException when there is no such folder
   */
  public Path baseFolder(Path folder) {
    String name =
        base.orElseThrow(
            () ->
                new DuokaException(
                    ErrorCode.CONFIG,
                    "the adapter of " + folder + " does not say what its base is",
                    "Give " + FILE_NAME + " a base_model_name_or_path."));
    for (Path path : List.of(folder.resolve(name), Path.of(name))) {
      if (Files.isDirectory(path)) {
        return path;
      }
    }
    throw new DuokaException(
        ErrorCode.CONFIG,
        "the base of the adapter of " + folder + ", " + name + ", is no folder here",
        "Say where it is: chat BASE --adapter "
            + folder
            + ", export --base BASE, train --resume --set model.path=BASE. Of a folder in PEFT's"
            + " form "
            + FILE_NAME
            + " may be corrected; a checkpoint's files must stay as they are.");
  }

  private static void refuseOthers(JsonFields fields) {
    requireText(fields, "peft_type", "LORA");
    requireText(fields, "task_type", "CAUSAL_LM");
    requireText(fields, "bias", "none");
    fields
        .node("init_lora_weights")
        .filter(value -> !STARTS.contains(value.asString()))
        .ifPresent(
            value -> {
              throw fields.error(
                  "init_lora_weights is "
                      + value
                      + ", which changes the base's weights at the start",
                  "Convert the adapter to a plain one with PEFT's"
                      + " path_initial_model_for_weight_conversion.");
            });
    for (String name : fields.names()) {
      boolean asks = fields.node(name).filter(AdapterConfigFile::asksForSomething).isPresent();
      if (asks && !READ.contains(name) && !WITHOUT_EFFECT.contains(name)) {
        throw fields.error(
            "it has " + name + ", which is not supported here",
            "Make the adapter without it: LoRA, rsLoRA and DoRA on linear layers and on stacked"
                + " experts are supported.");
      }
    }
  }

  private static void requireText(JsonFields fields, String name, String only) {
    String value = fields.text(name).orElse(only);
    if (!value.equals(only)) {
      throw fields.error(
          name + " is '" + value + "', which is not supported here",
          "Adapters of " + name + " '" + only + "' are.");
    }
  }

  private static boolean asksForSomething(JsonNode value) {
    if (value.isBoolean()) {
      return value.booleanValue();
    }
    return !(value.isContainer() && value.isEmpty());
  }

  private static NamePatterns patterns(JsonFields fields, String name) {
    Optional<JsonNode> node = fields.node(name);
    if (node.isEmpty()) {
      return NamePatterns.NONE;
    }
    return node.get().isString()
        ? NamePatterns.of(node.get().asString())
        : new NamePatterns.Ends(fields.texts(name));
  }

  /** One layer, or a list of them. */
  private static List<Integer> layers(JsonFields fields) {
    List<Integer> layers = new ArrayList<>();
    fields
        .node("layers_to_transform")
        .ifPresent(
            node -> {
              for (JsonNode one : node.isArray() ? node : List.of(node)) {
                if (!one.canConvertToInt()) {
                  throw fields.error(
                      "layers_to_transform holds " + one, "Give it whole numbers of layers.");
                }
                layers.add(one.intValue());
              }
            });
    return layers;
  }

  private static <T> Map<String, T> numbers(
      JsonFields fields, String name, Function<JsonFields, Function<String, T>> reader) {
    Map<String, T> numbers = new LinkedHashMap<>();
    fields
        .object(name)
        .ifPresent(of -> of.names().forEach(key -> numbers.put(key, reader.apply(of).apply(key))));
    return numbers;
  }

  /** Writes the file of an adapter's folder, crash-safe. */
  public void write(Path folder) {
    Path file = folder.resolve(FILE_NAME);
    try {
      CrashSafeFiles.write(file, Json.pretty(json()).getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot write " + file + ": " + e,
          "Check that the folder exists, is writable and has space left.",
          e);
    }
  }

  /** As the file holds it. */
  public ObjectNode json() {
    ObjectNode root = Json.object();
    root.put("peft_type", "LORA");
    root.put("task_type", "CAUSAL_LM");
    base.ifPresentOrElse(
        name -> root.put("base_model_name_or_path", name),
        () -> root.putNull("base_model_name_or_path"));
    root.put("inference_mode", true);
    root.put("bias", "none");
    root.put("r", adapter.rank());
    Json.putNumber(root, "lora_alpha", adapter.alpha());
    Json.putNumber(root, "lora_dropout", adapter.dropout());
    root.put("use_rslora", adapter.rootScaled());
    root.put("use_dora", adapter.magnitudes());
    root.put("fan_in_fan_out", false);
    root.put("init_lora_weights", true);
    put(root, "target_modules", adapter.modules());
    put(root, "exclude_modules", adapter.excluded());
    put(root, "target_parameters", adapter.parameters());
    put(root, "modules_to_save", adapter.saved());
    if (tying) {
      root.put("ensure_weight_tying", true);
    }
    if (adapter.layers().isEmpty()) {
      root.putNull("layers_to_transform");
    } else {
      ArrayNode layers = root.putArray("layers_to_transform");
      adapter.layers().forEach(layers::add);
    }
    ObjectNode ranks = root.putObject("rank_pattern");
    adapter.rankPattern().forEach(ranks::put);
    ObjectNode alphas = root.putObject("alpha_pattern");
    adapter.alphaPattern().forEach((key, value) -> Json.putNumber(alphas, key, value));
    return root;
  }

  private static void put(ObjectNode root, String name, NamePatterns patterns) {
    switch (patterns) {
      case NamePatterns.Ends(List<String> names) -> put(root, name, names);
      case NamePatterns.Whole(String expression) -> root.put(name, expression);
      case NamePatterns.AllLinear() -> root.put(name, NamePatterns.ALL_LINEAR);
      case NamePatterns.Within _ ->
          throw new IllegalArgumentException("PEFT cannot say of an adapter what it is in");
    }
  }

  private static void put(ObjectNode root, String name, List<String> texts) {
    if (texts.isEmpty()) {
      root.putNull(name);
    } else {
      ArrayNode array = root.putArray(name);
      texts.forEach(array::add);
    }
  }
}
