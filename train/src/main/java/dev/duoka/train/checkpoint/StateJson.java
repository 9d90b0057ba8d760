package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.batch.DataState;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonFields;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The file {@code state.json}.
 *
 * @param state the run's numbers
 * @param tokenizer {@code bytes}, or the name of the tokenizer's file beside it
 */
record StateJson(TrainingState state, String tokenizer) {
  byte[] encode() {
    ObjectNode root = Json.object();
    root.put("step", state.step());
    root.put("optimizer_steps", state.optimizerSteps());
    root.putObject("data")
        .put("epoch", state.data().epoch())
        .put("position", state.data().position());
    root.putObject("loss_scaler")
        .put("scale", state.lossScaler().scale())
        .put("good_steps", state.lossScaler().goodSteps());
    root.put("seed", state.seed());
    ObjectNode identity = root.putObject("identity");
    state.identity().forEach(identity::put);
    root.put("tokenizer", tokenizer);
    ObjectNode extras = root.putObject("extras");
    state.extras().forEach(extras::put);
    ObjectNode words = root.putObject("words");
    state.words().forEach(words::put);
    return Json.pretty(root).getBytes(StandardCharsets.UTF_8);
  }

  static StateJson read(Path folder) {
    Path file = folder.resolve(CheckpointFiles.STATE);
    JsonFields root =
        JsonFields.of(
            Json.parse(file, ErrorCode.CHECKPOINT), file.toString(), ErrorCode.CHECKPOINT);
    JsonFields data = object(root, "data");
    JsonFields scaler = object(root, "loss_scaler");
    Map<String, Double> extras = new TreeMap<>();
    JsonFields extra = object(root, "extras");
    for (String name : extra.names()) {
      extras.put(name, extra.number(name));
    }
    TrainingState state =
        new TrainingState(
            count(root, "step"),
            count(root, "optimizer_steps"),
            new DataState(count(data, "epoch"), count(data, "position")),
            new LossScaler.State(scaler.number("scale"), scaler.integer("good_steps")),
            whole(root, "seed"),
            texts(object(root, "identity")),
            extras,
            root.object("words").map(StateJson::texts).orElse(Map.of())); // older ones have none
    return new StateJson(state, text(root, "tokenizer"));
  }

  private static Map<String, String> texts(JsonFields fields) {
    Map<String, String> texts = new TreeMap<>();
    for (String name : fields.names()) {
      texts.put(name, text(fields, name));
    }
    return texts;
  }

  private static JsonFields object(JsonFields fields, String name) {
    return fields.object(name).orElseThrow(() -> missing(fields, name));
  }

  private static String text(JsonFields fields, String name) {
    return fields.text(name).orElseThrow(() -> missing(fields, name));
  }

  private static long count(JsonFields fields, String name) {
    long value = whole(fields, name);
    if (value < 0) {
      throw fields.error("field '" + name + "' is " + value, "It must not be negative.");
    }
    return value;
  }

  private static long whole(JsonFields fields, String name) {
    JsonNode value = fields.node(name).orElseThrow(() -> missing(fields, name));
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw fields.error("field '" + name + "' is " + value, "It must be a whole number.");
    }
    return value.longValue();
  }

  private static DuokaException missing(JsonFields fields, String name) {
    return fields.error("field '" + name + "' is missing", "Use an earlier checkpoint.");
  }
}
