package dev.duoka.parallel.proof;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.PipelineOrder;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.plan.LayoutCheck;
import dev.duoka.parallel.step.PipelineSettings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import tools.jackson.databind.node.ObjectNode;

/**
 * A trial drawn at random, with the names of what it combines.
 *
 * @param features for example {@code tensor}, {@code mla}, {@code zero 3}
 */
record Draw(Trial trial, Set<String> features) {
  private static final int MOST_RANKS = 8;
  private static final List<String> MODELS =
      List.of(
          "dense", "dense tied", "qwen2 tied", "qwen3", "moe", "v2", "v3", "v3 mtp", "v3 mtp tied");

  /** The draw of a number; empty where it cannot be laid out. */
  static Optional<Draw> of(long seed) {
    Random random = new Random(seed);
    String name = MODELS.get(random.nextInt(MODELS.size()));
    int keyHeads = random.nextBoolean() ? 4 : 2;
    ModelConfig model = model(name, 4 + random.nextInt(5), keyHeads);
    int tensor = pick(random, 1, 2, 2, 4);
    int pipeline = upTo(random, MOST_RANKS / tensor, 1, 2, 2, 3, 4);
    int context = upTo(random, MOST_RANKS / tensor / pipeline, 1, 1, 2, 3);
    int data = upTo(random, MOST_RANKS / tensor / pipeline / context, 1, 2, 2, 3, 4);
    boolean replicated = data % 2 == 0 && random.nextInt(3) == 0;
    int spread = data * context * tensor;
    int expert =
        model.moe() == null
            ? 1
            : pick(random, IntStream.of(1, 2, 2, 4).filter(it -> spread % it == 0).toArray());
    PipelineKind kind = PipelineKind.values()[random.nextInt(PipelineKind.values().length)];
    int stagesPerRank = kind == PipelineKind.INTERLEAVED && pipeline > 1 ? 2 : 1;
    int accumulation = stagesPerRank > 1 ? pipeline * pick(random, 1, 2) : pick(random, 1, 2, 3);
    Recompute recompute = Recompute.values()[random.nextInt(Recompute.values().length)];
    int zero = random.nextInt(4);
    int microBatch = pick(random, 1, 2);
    Offload offload = random.nextInt(4) == 0 ? Offload.OPTIMIZER : Offload.NONE;
    int length = 24;
    Layout layout =
        new Layout(
            data,
            tensor,
            pipeline,
            expert,
            context,
            zero,
            microBatch,
            accumulation,
            recompute,
            offload,
            LossKind.CHUNKED,
            Precision.FP64,
            Method.FULL);
    Layout ordered = layout.with(new PipelineOrder(kind, stagesPerRank));
    if (!LayoutCheck.allows(model, ordered, length, OptionalInt.empty(), List.of())) {
      return Optional.empty();
    }
    int replicate = replicated && data / 2 * context * tensor % expert == 0 ? 2 : 1;
    Mesh mesh = new Mesh(pipeline, replicate, data / replicate, context, tensor, expert);
    Trial trial =
        new Trial(
            model,
            mesh,
            new PipelineSettings(kind, stagesPerRank, List.of()),
            recompute,
            zero,
            length,
            microBatch,
            accumulation,
            seed % 16 == 0 ? 8 : 2,
            offload,
            microBatch == 1 ? OffloadUpdate.DEVICE : OffloadUpdate.HOST,
            random.nextInt(4) == 0);
    return Optional.of(new Draw(trial, features(name, keyHeads, trial, kind)));
  }

  private static Set<String> features(String model, int keyHeads, Trial trial, PipelineKind kind) {
    Set<String> features = new LinkedHashSet<>();
    features.add(model.startsWith("v") ? "latent attention" : "grouped queries");
    if (model.contains("tied")) {
      features.add("tied");
    }
    if (model.contains("mtp")) {
      features.add("further tokens");
    }
    Mesh mesh = trial.mesh();
    add(features, "experts", trial.model().moe() != null);
    add(features, "data", mesh.data() > 1);
    add(features, "replicas", mesh.replicate() > 1);
    add(features, "tensor", mesh.tensor() > 1);
    add(features, "expert parallel", mesh.expert() > 1);
    add(features, "context", mesh.context() > 1);
    add(features, "pipeline " + kind, mesh.pipeline() > 1);
    add(features, "copies of heads", !model.startsWith("v") && mesh.tensor() > keyHeads);
    features.add("zero " + trial.zero());
    features.add("recompute " + trial.recompute());
    add(features, "accumulation", trial.accumulation() > 1);
    add(features, "documents apart", trial.apart());
    if (trial.offload() == Offload.OPTIMIZER) {
      features.add("states in host memory, updated by the " + trial.update());
    }
    return features;
  }

  /** Everything that a draw may combine. */
  static List<String> allFeatures() {
    List<String> all = new ArrayList<>();
    all.addAll(List.of("latent attention", "grouped queries", "tied", "further tokens", "experts"));
    all.addAll(List.of("data", "replicas", "tensor", "expert parallel", "context"));
    all.addAll(List.of("copies of heads", "accumulation"));
    all.addAll(List.of("documents apart"));
    for (OffloadUpdate update : OffloadUpdate.values()) {
      all.add("states in host memory, updated by the " + update);
    }
    for (PipelineKind kind : PipelineKind.values()) {
      all.add("pipeline " + kind);
    }
    for (int zero = 0; zero <= 3; zero++) {
      all.add("zero " + zero);
    }
    for (Recompute recompute : Recompute.values()) {
      all.add("recompute " + recompute);
    }
    return all;
  }

  private static void add(Set<String> features, String name, boolean has) {
    if (has) {
      features.add(name);
    }
  }

  private static int upTo(Random random, int most, int... choices) {
    int[] possible = Arrays.stream(choices).filter(it -> it <= most).toArray();
    return pick(random, possible);
  }

  private static int pick(Random random, int... choices) {
    return choices[random.nextInt(choices.length)];
  }

  /**
   * A small model: of Qwen2's with biases, of Qwen3's with norms of heads that are wider together
   * than the model.
   *
   * @param keyHeads heads of keys and values of dense models, of four query heads
   */
  static ModelConfig model(String name, int layers, int keyHeads) {
    boolean v3 = name.startsWith("v3");
    String preset =
        v3
            ? "tiny-v3"
            : name.equals("v2") ? "tiny-v2" : name.equals("moe") ? "tiny-moe" : "tiny-llama";
    ObjectNode json = (ObjectNode) Presets.json(preset).deepCopy();
    json.put("vocab_size", 101);
    json.put("bos_token_id", 1);
    json.put("eos_token_id", 2);
    json.put("hidden_size", 32);
    json.put("intermediate_size", 48);
    json.put("num_hidden_layers", layers);
    json.put("num_attention_heads", 4);
    json.put("num_key_value_heads", preset.equals("tiny-llama") ? keyHeads : 4);
    json.put("initializer_range", 0.1);
    json.put("tie_word_embeddings", name.contains("tied"));
    if (name.startsWith("qwen")) {
      json.put("model_type", name.substring(0, "qwen2".length()));
      json.put("head_dim", name.startsWith("qwen3") ? 12 : 8);
    }
    if (json.has("kv_lora_rank")) {
      json.put("kv_lora_rank", 12);
      json.put("qk_nope_head_dim", 6);
      json.put("qk_rope_head_dim", 4);
      json.put("v_head_dim", 6);
    }
    if (json.has("q_lora_rank") && !json.get("q_lora_rank").isNull()) {
      json.put("q_lora_rank", 10);
    }
    if (json.has("moe_intermediate_size")) {
      json.put("moe_intermediate_size", 12);
    }
    if (v3) {
      json.put("num_nextn_predict_layers", name.contains("mtp") ? 1 : 0);
    }
    return ModelConfigReader.read(json, name);
  }
}
