package dev.duoka.train.generate;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonFields;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What {@code generation_config.json} says: the file by which other programs know how a model is
 * sampled and at which tokens its text ends.
 */
public final class GenerationConfig {
  /** Its name in a folder with a model. */
  public static final String FILE_NAME = "generation_config.json";

  private static final String BOS = "bos_token_id";
  private static final String EOS = "eos_token_id";

  private final ObjectNode json;
  private final Set<Integer> ends;

  private GenerationConfig(ObjectNode json, Set<Integer> ends) {
    this.json = json;
    this.ends = Set.copyOf(ends);
  }

  /** One for a model that brings none. */
  public static GenerationConfig ofModelConfig() {
    ObjectNode json = Json.object();
    json.put("_from_model_config", true);
    return new GenerationConfig(json, Set.of());
  }

  /** The one of a folder, if it has one. */
  public static Optional<GenerationConfig> in(Path folder) {
    Path file = folder.resolve(FILE_NAME);
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    JsonNode root = Json.parse(file, ErrorCode.FORMAT);
    JsonFields fields = JsonFields.of(root, file.toString(), ErrorCode.FORMAT);
    Set<Integer> ends = new TreeSet<>();
    fields.node(EOS).ifPresent(value -> add(value, fields, ends));
    return Optional.of(new GenerationConfig((ObjectNode) root.deepCopy(), ends));
  }

  /** The tokens at which a text ends; empty where the file names none. */
  public Set<Integer> ends() {
    return ends;
  }

  /** The same with other ends. */
  public GenerationConfig withEnds(Set<Integer> others) {
    ObjectNode changed = json.deepCopy();
    List<Integer> ids = others.stream().sorted().toList();
    changed.remove(EOS);
    if (ids.size() == 1) {
      changed.put(EOS, ids.getFirst());
    } else if (!ids.isEmpty()) {
      ids.forEach(changed.putArray(EOS)::add);
    }
    return new GenerationConfig(changed, others);
  }

  /** The same with another bos token. */
  public GenerationConfig withBos(int id) {
    ObjectNode changed = json.deepCopy();
    changed.remove(BOS);
    if (id >= 0) {
      changed.put(BOS, id);
    }
    return new GenerationConfig(changed, ends);
  }

  /** The file's content. */
  public byte[] encode() {
    return Json.pretty(json).getBytes(StandardCharsets.UTF_8);
  }

  private static void add(JsonNode value, JsonFields fields, Set<Integer> ids) {
    if (value.isArray()) {
      value.forEach(one -> add(one, fields, ids));
    } else if (value.canConvertToInt()) {
      ids.add(value.intValue());
    } else {
      throw fields.error(
          "field '" + EOS + "' has " + value, "It is a token's id or a list of such.");
    }
  }
}
