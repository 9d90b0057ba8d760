package dev.duoka.train.parity;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.engine.autograd.Recompute;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.optimizer.ShardedAdamW;
import dev.duoka.engine.parallel.SingleRank;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.safetensors.SafetensorsFile;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.LossWeights;
import dev.duoka.model.Losses;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.TokenBatch;
import dev.duoka.model.layer.Pass;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightReader;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.op.HostCopy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs a model in fp32 against a folder with {@code config.json}, {@code model.safetensors} and
 * {@code expect.safetensors}: loss, logits and every gradient of one batch, and the losses and
 * gradient norms of optimizer steps from the same start.
 *
 * <p>The expected file holds {@code input_ids [b, t]}, {@code logits [b, t, vocabulary]}, {@code
 * loss [1]} (mean over {@code b·(t − 1)} next tokens), {@code grad.<name>} before clipping, {@code
 * step_ids.<i>}, {@code adamw_losses} and {@code grad_norms}; the optimizer is AdamW with the
 * constants below.
 */
public final class ParityCheck {
  private static final double LEARNING_RATE = 1e-2;
  private static final AdamWSettings OPTIMIZER = new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1.0);

  private final Path folder;
  private final Device device;
  private final List<ParityResult> results = new ArrayList<>();

  private ParityCheck(Path folder, Device device) {
    this.folder = folder;
    this.device = device;
  }

  /** Compares everything that the folder expects, in the order above. */
  public static List<ParityResult> run(Path folder, Device device) {
    ParityCheck check = new ParityCheck(folder, device);
    check.run();
    return check.results;
  }

  private void run() {
    ModelConfig config = ModelConfigReader.read(folder);
    try (SafetensorsFile expected = SafetensorsFile.open(folder.resolve("expect.safetensors"));
        SafetensorsFolder weights = SafetensorsFolder.open(folder)) {
      TensorEntry ids = expected.entry("input_ids");
      int length = Math.toIntExact(ids.shape().get(1));
      ModelFactory.Allocation allocation =
          new ModelFactory.Allocation(Dtype.FLOAT32, device, 1, true, length, 0);
      try (LanguageModel model = ModelFactory.create(config, allocation)) {
        WeightReader.readAll(weights, model.weights(), model.buffers());
        compareOneBatch(model, expected, longs(expected, ids), length);
      }
      try (LanguageModel model = ModelFactory.create(config, allocation)) {
        WeightReader.readAll(weights, model.weights(), model.buffers());
        compareOptimizerSteps(model, expected, length);
      }
    }
  }

  private void compareOneBatch(
      LanguageModel model, SafetensorsFile expected, long[] ids, int length) {
    int sequences = ids.length / length;
    try (Scope _ = Scope.open();
        Tape tape = Tape.recording(Recompute.NONE);
        TokenBatch batch = batch(ids, sequences, length)) {
      long targets = (long) sequences * (length - 1);
      Pass pass = Pass.overSequences(tape, sequences, model.rotary(), null);
      Losses losses = model.losses(pass, batch, new LossWeights(1.0 / targets, 0));
      compare("loss", new double[] {HostCopy.item(losses.next().value()) / targets}, expected);
      tape.backward(losses.next());
      try (Tape inference = Tape.inference()) {
        Variable hidden =
            model.hidden(
                Pass.overSequences(inference, sequences, model.rotary(), null), batch.tokens());
        compare("logits", HostCopy.doubles(model.logits(hidden.value())), expected);
      }
    }
    model.parameters().zeroUntouchedGradients();
    Map<String, double[]> gradients = gradients(model);
    for (TensorEntry entry : expected.tensors()) {
      if (entry.name().startsWith("grad.")) {
        String name = entry.name().substring("grad.".length());
        double[] actual = gradients.get(name);
        if (actual == null) {
          throw new DuokaException(
              ErrorCode.FORMAT,
              folder + " expects the gradient of " + name + ", which this model does not have",
              "Check that config.json belongs to expect.safetensors");
        }
        compare(entry.name(), actual, expected);
      }
    }
  }

  private void compareOptimizerSteps(LanguageModel model, SafetensorsFile expected, int length) {
    int steps = Math.toIntExact(expected.entry("adamw_losses").elements());
    double[] stepLosses = new double[steps];
    double[] norms = new double[steps];
    try (ShardedAdamW optimizer =
        new ShardedAdamW(model.parameters(), new SingleRank(), OPTIMIZER, 0)) {
      for (int step = 0; step < steps; step++) {
        long[] ids = longs(expected, expected.entry("step_ids." + step));
        int sequences = ids.length / length;
        long targets = (long) sequences * (length - 1);
        model.parameters().resetGradients();
        try (Scope _ = Scope.open();
            Tape tape = Tape.recording(Recompute.NONE);
            TokenBatch batch = batch(ids, sequences, length)) {
          Pass pass = Pass.overSequences(tape, sequences, model.rotary(), null);
          Losses losses = model.losses(pass, batch, new LossWeights(1.0 / targets, 0));
          stepLosses[step] = HostCopy.item(losses.next().value()) / targets;
          tape.backward(losses.next());
        }
        norms[step] = optimizer.step(LEARNING_RATE, 1).gradientNorm();
      }
    }
    compare("adamw_losses", stepLosses, expected);
    compare("grad_norms", norms, expected);
  }

  /** Each token's target is the next one; the last of a sequence has none. */
  private TokenBatch batch(long[] ids, int sequences, int length) {
    long[] targets = new long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      targets[i] = i % length == length - 1 ? -100 : ids[i + 1];
    }
    return new TokenBatch(ids, targets, sequences, 0, device);
  }

  /** Gradients under the checkpoint's names, and stacked ones under the parameter's own. */
  private static Map<String, double[]> gradients(LanguageModel model) {
    Map<String, double[]> gradients = new HashMap<>();
    for (Weight weight : model.weights()) {
      double[] whole = HostCopy.doubles(weight.parameter().gradient());
      gradients.put(weight.spec().name(), whole);
      for (CheckpointTensor tensor : weight.checkpointTensors()) {
        int start = Math.toIntExact(tensor.offset());
        gradients.put(
            tensor.name(),
            Arrays.copyOfRange(whole, start, start + Math.toIntExact(tensor.elements())));
      }
    }
    return gradients;
  }

  private void compare(String name, double[] actual, SafetensorsFile expected) {
    TensorEntry entry = expected.entry(name);
    ByteBuffer bytes = read(expected, entry);
    double[] wanted = new double[Math.toIntExact(entry.elements())];
    for (int i = 0; i < wanted.length; i++) {
      wanted[i] = bytes.getFloat(4 * i);
    }
    results.add(ParityResult.of(name, actual, wanted));
  }

  private static long[] longs(SafetensorsFile file, TensorEntry entry) {
    long[] values = new long[Math.toIntExact(entry.elements())];
    read(file, entry).asLongBuffer().get(values);
    return values;
  }

  private static ByteBuffer read(SafetensorsFile file, TensorEntry entry) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(entry.byteLength())).order(ByteOrder.LITTLE_ENDIAN);
    file.read(entry, 0, bytes);
    return bytes.flip().order(ByteOrder.LITTLE_ENDIAN);
  }
}
