package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.modelconfig.ModelConfigWriter;
import dev.duoka.model.LanguageModel;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Tells whether a checkpoint belongs to a model. */
final class ConfigComparison {
  private static final String MTP_MODULES = "num_nextn_predict_layers";

  /** Keys that neither shapes nor results of a forward pass depend on. */
  private static final Set<String> FREE =
      Set.of(
          "architectures",
          "initializer_range",
          "max_position_embeddings",
          "bos_token_id",
          "eos_token_id",
          "aux_loss_alpha",
          "seq_aux");

  private ConfigComparison() {}

  /** The config of a snapshot's model, with the MTP modules that it really has. */
  static ObjectNode json(TrainingSnapshot snapshot) {
    return json(snapshot.config(), snapshot.predictionDepth());
  }

  private static ObjectNode json(ModelConfig config, int predictionDepth) {
    ObjectNode json = ModelConfigWriter.json(config);
    if (json.has(MTP_MODULES)) {
      json.put(MTP_MODULES, predictionDepth);
    }
    return json;
  }

  /** Refuses a checkpoint of another model, naming the first difference. */
  static void requireSame(Path checkpoint, ModelConfig stored, LanguageModel model) {
    ObjectNode theirs = ModelConfigWriter.json(stored);
    ObjectNode ours = json(model.config(), model.predictionDepth());
    Set<String> keys = new TreeSet<>(theirs.propertyNames());
    keys.addAll(ours.propertyNames());
    requireSameAdapter(checkpoint, stored, model.config());
    // The family explains all other differences, so it is looked at first.
    requireSame(checkpoint, "model_type", theirs, ours);
    for (String key : keys) {
      if (!FREE.contains(key)) {
        requireSame(checkpoint, key, theirs, ours);
      }
    }
  }

  private static void requireSameAdapter(Path checkpoint, ModelConfig stored, ModelConfig config) {
    if (!Objects.equals(stored.adapter(), config.adapter())) {
      throw new DuokaException(
          ErrorCode.CHECKPOINT,
          "cannot go on from " + checkpoint + ": its adapter is not this run's",
          "Resume with the run file it was trained with, or start a new run");
    }
  }

  private static void requireSame(Path checkpoint, String key, ObjectNode theirs, ObjectNode ours) {
    String there = shown(theirs.get(key));
    String here = shown(ours.get(key));
    if (!there.equals(here)) {
      throw new DuokaException(
          ErrorCode.CHECKPOINT,
          "cannot go on from "
              + checkpoint
              + ": its "
              + ModelConfigReader.FILE_NAME
              + " has "
              + key
              + " "
              + there
              + ", this run's model has "
              + here,
          "Resume with the run file it was trained with, or start a new run");
    }
  }

  private static String shown(@Nullable JsonNode value) {
    return value == null || value.isNull() ? "none" : value.toString();
  }
}
