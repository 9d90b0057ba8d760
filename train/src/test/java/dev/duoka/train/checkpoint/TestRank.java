package dev.duoka.train.checkpoint;

import dev.duoka.comm.Communicator;
import dev.duoka.data.batch.DataState;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.engine.precision.PrecisionPolicy;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.layout.Precision;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.StateBuffer;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.parallel.state.StateSlice;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import tools.jackson.databind.node.ObjectNode;

/**
 * A rank with a tiny model whose whole state is a function of a number, so that any copy of it can
 * be checked.
 */
public record TestRank(LanguageModel model, ShardedOptimizer optimizer) implements AutoCloseable {
  private static final AdamWSettings SETTINGS = new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1.0);

  /** A layout of the state. */
  record Layout(int ranks, int zero) {}

  /** V3 with everything it can have: MLA with q-LoRA, experts, selection bias, an MTP module. */
  public static ModelConfig config() {
    ObjectNode json = (ObjectNode) Presets.json("tiny-v3").deepCopy();
    json.put("hidden_size", 24);
    json.put("intermediate_size", 40);
    json.put("num_hidden_layers", 2);
    json.put("num_attention_heads", 2);
    json.put("num_key_value_heads", 2);
    json.put("q_lora_rank", 12);
    json.put("kv_lora_rank", 20);
    json.put("qk_nope_head_dim", 8);
    json.put("qk_rope_head_dim", 4);
    json.put("v_head_dim", 8);
    json.put("moe_intermediate_size", 20);
    json.put("num_nextn_predict_layers", 1);
    json.put("max_position_embeddings", 64);
    return ModelConfigReader.read(json, "the test's model");
  }

  /** A rank of {@link #config}. */
  public static TestRank create(Communicator collectives, int zero, Precision precision) {
    return create(config(), collectives, zero, precision);
  }

  static TestRank create(
      ModelConfig config, Communicator collectives, int zero, Precision precision) {
    return create(config, collectives, zero, precision, Device.CPU);
  }

  static TestRank create(
      ModelConfig config, Communicator collectives, int zero, Precision precision, Device device) {
    // Several threads would only hinder each other on a model this small.
    ComputeThread.prepare(device, 1, collectives.size());
    LanguageModel model =
        ModelFactory.create(
            config,
            new ModelFactory.Allocation(
                new PrecisionPolicy(precision).computeDtype(),
                device,
                true,
                config.maxPositions(),
                config.mtpModules(),
                ModelFactory.Part.inShards(collectives.size())));
    return new TestRank(
        model, new ShardedOptimizer(model.parameters(), collectives, SETTINGS, zero));
  }

  /** Sets every number of the state. Collective. */
  public TestRank fill(long number) {
    List<StateSlice> slices = optimizer.slices();
    for (int i = 0; i < slices.size(); i++) {
      AdamW states = slices.get(i).states();
      float[] masters = part(flat("master", number), i);
      try (Tensor wide = HostCopy.fromFloats(masters, Dtype.FLOAT32, Device.CPU, masters.length)) {
        states.master().write(0, wide);
      }
      copy(states.firstMoment().values(), part(flat("first", number), i));
      copy(states.secondMoment().values(), part(flat("second", number), i));
    }
    for (StateBuffer buffer : model.buffers()) {
      copy(buffer.value(), values(buffer.checkpointName(), number, buffer.length()));
    }
    optimizer.restoreSteps(number);
    optimizer.publish();
    return this;
  }

  /** The first part of the state that is not what {@link #fill} sets, or an empty text. */
  public String difference(long number) {
    String found = "";
    List<StateSlice> slices = optimizer.slices();
    for (int i = 0; i < slices.size(); i++) {
      AdamW states = slices.get(i).states();
      try (Tensor master = states.master().read()) {
        found += differenceOf("master weights", master, part(flat("master", number), i));
      }
      found +=
          differenceOf(
              "first moments", states.firstMoment().values(), part(flat("first", number), i));
      found +=
          differenceOf(
              "second moments", states.secondMoment().values(), part(flat("second", number), i));
    }
    for (StateBuffer buffer : model.buffers()) {
      float[] expected = values(buffer.checkpointName(), number, buffer.length());
      found += Arrays.equals(HostCopy.floats(buffer.value()), expected) ? "" : " selection bias";
    }
    FlatLayout layout = FlatLayout.of(model);
    for (int i = 0; i < slices.size(); i++) {
      Tensor values = slices.get(i).bucket().values();
      float[] whole = slice(flat("master", number), layout.starts().get(i), values.elements());
      boolean same = Arrays.equals(HostCopy.floats(values), rounded(whole, values.dtype()));
      found += same ? "" : " weights";
    }
    return found + (optimizer.steps() == number ? "" : " steps");
  }

  /** Numbers for a state after so many steps. */
  public static TrainingState state(long step) {
    return new TrainingState(
        step,
        step,
        new DataState(step / 7, 13 * step),
        new LossScaler.State(1024.5, 17),
        Long.MIN_VALUE + step,
        Map.of("data", "hash"),
        Map.of("validation_loss", 0.1 + step, "unknown", Double.NaN));
  }

  /** What a tensor of the checkpoint holds; nothing that lies in the middle between two of bf16. */
  public static float[] values(String name, long number, long length) {
    SplittableRandom random = new SplittableRandom(31L * name.hashCode() + number);
    float[] values = new float[Math.toIntExact(length)];
    for (int i = 0; i < values.length; i++) {
      int bits = Float.floatToRawIntBits((float) random.nextGaussian());
      values[i] = Float.intBitsToFloat(bits | 1);
    }
    return values;
  }

  /** The values as another dtype holds them. */
  public static float[] rounded(float[] values, Dtype dtype) {
    try (Tensor wide = HostCopy.fromFloats(values, Dtype.FLOAT32, Device.CPU, values.length);
        Tensor narrow = Copies.cast(wide, dtype)) {
      return HostCopy.floats(narrow);
    }
  }

  /** All buckets one behind the other, with the padding at zero. */
  private float[] flat(String kind, long number) {
    FlatLayout layout = FlatLayout.of(model);
    float[] flat = new float[Math.toIntExact(layout.length())];
    for (CheckpointTensor tensor : layout.inOrder()) {
      String name = kind.equals("master") ? tensor.name() : tensor.name() + kind;
      float[] values = values(name, number, tensor.elements());
      System.arraycopy(values, 0, flat, Math.toIntExact(tensor.offset()), values.length);
    }
    return flat;
  }

  /** What the optimizer's slice number {@code index} holds of the whole. */
  private float[] part(float[] flat, int index) {
    List<StateSlice> slices = optimizer.slices();
    return slice(flat, FlatLayout.of(model).startOf(slices, index), slices.get(index).length());
  }

  private static float[] slice(float[] flat, long start, long length) {
    return Arrays.copyOfRange(flat, Math.toIntExact(start), Math.toIntExact(start + length));
  }

  private static String differenceOf(String what, Tensor shard, float[] expected) {
    return Arrays.equals(HostCopy.floats(shard), expected) ? "" : " " + what;
  }

  private static void copy(Tensor target, float[] values) {
    try (Tensor source = HostCopy.fromFloats(values, Dtype.FLOAT32, Device.CPU, values.length)) {
      Copies.into(target, source);
    }
  }

  @Override
  public void close() {
    optimizer.close();
    model.close();
  }
}
