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
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

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
  private static final int PERTURBED_RUNS = 8;
  private static final AdamWSettings OPTIMIZER = new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1.0);

  private final Path folder;
  private final Device device;
  private final double tolerance;
  private final List<ParityResult> results = new ArrayList<>();

  private ParityCheck(Path folder, Device device, double tolerance) {
    this.folder = folder;
    this.device = device;
    this.tolerance = tolerance;
  }

  /**
   * Compares everything that the folder expects, in the order above.
   *
   * @param tolerance above it, the series of optimizer steps are repeated from weights that differ
   *     in the last bit, to tell an error from chaos
   */
  public static List<ParityResult> run(Path folder, Device device, double tolerance) {
    ParityCheck check = new ParityCheck(folder, device, tolerance);
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
      compareOptimizerSteps(config, allocation, weights, expected);
    }
  }

  private void compareOneBatch(
      LanguageModel model, SafetensorsFile expected, long[] ids, int length) {
    int sequences = ids.length / length;
    try (Scope _ = Scope.open();
        Tape tape = Tape.recording(Recompute.NONE);
        TokenBatch batch = batch(ids, sequences, length, model.config().vocabSize())) {
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

  private void compareOptimizerSteps(
      ModelConfig config,
      ModelFactory.Allocation allocation,
      SafetensorsFolder weights,
      SafetensorsFile expected) {
    Series series = optimizerSteps(config, allocation, weights, expected, 0);
    compare("adamw_losses", series.losses, expected);
    compare("grad_norms", series.norms, expected);
    int last = results.size() - 1;
    if (results.get(last).within(tolerance) && results.get(last - 1).within(tolerance)) {
      return;
    }
    // AdamW's first updates are as large for a gradient of 1e-9 as for one of 1, and a router may
    // be next to a tie: then rounding alone sends the series elsewhere. How far, is measured.
    double lossSpread = 0;
    double normSpread = 0;
    for (int seed = 1; seed <= PERTURBED_RUNS; seed++) {
      Series other = optimizerSteps(config, allocation, weights, expected, seed);
      lossSpread =
          Math.max(lossSpread, ParityResult.of("", other.losses, series.losses).relativeError());
      normSpread =
          Math.max(normSpread, ParityResult.of("", other.norms, series.norms).relativeError());
    }
    results.set(last - 1, results.get(last - 1).withSpread(lossSpread));
    results.set(last, results.get(last).withSpread(normSpread));
  }

  /** The losses before each optimizer step, and the gradient norms before clipping. */
  private static final class Series {
    final double[] losses;
    final double[] norms;

    Series(int steps) {
      losses = new double[steps];
      norms = new double[steps];
    }
  }

  /**
   * Optimizer steps from the checkpoint's weights.
   *
   * @param perturbation 0, or the seed of a change of every weight by about its last bit
   */
  private Series optimizerSteps(
      ModelConfig config,
      ModelFactory.Allocation allocation,
      SafetensorsFolder weights,
      SafetensorsFile expected,
      int perturbation) {
    int length = allocation.positions();
    int steps = Math.toIntExact(expected.entry("adamw_losses").elements());
    Series series = new Series(steps);
    try (LanguageModel model = ModelFactory.create(config, allocation)) {
      WeightReader.readAll(weights, model.weights(), model.buffers());
      if (perturbation != 0) {
        perturb(model.parameters().values(), perturbation);
      }
      try (ShardedAdamW optimizer =
          new ShardedAdamW(model.parameters(), new SingleRank(), OPTIMIZER, 0)) {
        for (int step = 0; step < steps; step++) {
          long[] ids = longs(expected, expected.entry("step_ids." + step));
          int sequences = ids.length / length;
          long targets = (long) sequences * (length - 1);
          model.parameters().resetGradients();
          try (Scope _ = Scope.open();
              Tape tape = Tape.recording(Recompute.NONE);
              TokenBatch batch = batch(ids, sequences, length, config.vocabSize())) {
            Pass pass = Pass.overSequences(tape, sequences, model.rotary(), null);
            Losses result = model.losses(pass, batch, new LossWeights(1.0 / targets, 0));
            series.losses[step] = HostCopy.item(result.next().value()) / targets;
            tape.backward(result.next());
          }
          series.norms[step] = optimizer.step(LEARNING_RATE, 1).gradientNorm();
        }
      }
    }
    return series;
  }

  /** Multiplies every weight by a number within 2⁻²³ of 1, the distance of neighbours in fp32. */
  private void perturb(Tensor values, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] factors = new float[Math.toIntExact(values.elements())];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = (float) (1 + random.nextDouble(-0x1p-23, 0x1p-23));
    }
    try (Tensor factor = HostCopy.fromFloats(factors, Dtype.FLOAT32, device, factors.length)) {
      Elementwise.mulInPlace(values, factor);
    }
  }

  /** Each token's target is the next one; the last of a sequence has none. */
  private TokenBatch batch(long[] ids, int sequences, int length, int vocabulary) {
    long[] targets = new long[ids.length];
    for (long id : ids) {
      if (id < 0 || id >= vocabulary) {
        throw new DuokaException(
            ErrorCode.FORMAT,
            "the input holds the token id " + id + ", outside of 0 to " + (vocabulary - 1),
            "Check that config.json and the input ids are of the same model.");
      }
    }
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
