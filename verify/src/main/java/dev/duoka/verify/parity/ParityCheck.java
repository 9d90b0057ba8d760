package dev.duoka.verify.parity;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.LossWeights;
import dev.duoka.model.Losses;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.TokenBatch;
import dev.duoka.model.layer.Pass;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightReader;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.train.memory.MemoryCheck;
import dev.duoka.train.memory.StepMemory;
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
 * constants below. Ids are int64 or int32, of any sizes; the rest is of any floating type.
 *
 * <p><b>When a series of steps holds.</b> One batch is a smooth function of the weights, and is
 * held to the tolerance as it is. Steps are not: where two experts' scores are equal to the last
 * bit, rounding decides who gets a token, and AdamW's first updates are as large for a gradient of
 * 1e-9 as for one of 1. Each such place is a fork, at which two correct programs, or one program on
 * two CPUs, may part for good. So a series holds if the plain run is within the tolerance, or if
 * one of {@value #PERTURBED_RUNS} runs is that start from weights changed by no more than their
 * last bit: then the expected series is one of those that rounding leads to. A wrong formula or
 * constant moves all of these runs and brings none of them nearer; the tests of this class try
 * some. Losses and norms must hold in the same run.
 */
public final class ParityCheck {
  /** How often optimizer steps above the tolerance are run again. */
  public static final int PERTURBED_RUNS = 32;

  static final AdamWSettings OPTIMIZER = new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1.0);

  private final Path folder;
  private final Device device;
  private final double tolerance;
  private final int perturbedRuns;
  private final List<ParityResult> results = new ArrayList<>();

  private ParityCheck(Path folder, Device device, double tolerance, int perturbedRuns) {
    this.folder = folder;
    this.device = device;
    this.tolerance = tolerance;
    this.perturbedRuns = perturbedRuns;
  }

  /**
   * Compares everything that the folder expects, in the order above.
   *
   * @param tolerance above it, the optimizer steps are repeated from weights that differ in the
   *     last bit
   */
  public static List<ParityResult> run(Path folder, Device device, double tolerance) {
    return run(folder, device, tolerance, OPTIMIZER, PERTURBED_RUNS);
  }

  static List<ParityResult> run(
      Path folder, Device device, double tolerance, AdamWSettings optimizer, int perturbedRuns) {
    ParityCheck check = new ParityCheck(folder, device, tolerance, perturbedRuns);
    check.run(optimizer);
    return check.results;
  }

  private void run(AdamWSettings optimizer) {
    ModelConfig config = ModelConfigReader.read(folder);
    try (ExpectedTensors expected = ExpectedTensors.open(folder);
        SafetensorsFolder weights = SafetensorsFolder.open(folder)) {
      TokenIds ids = expected.ids("input_ids", config.vocabSize());
      List<TokenIds> steps = expected.steps(config.vocabSize());
      int longest = ids.length();
      for (TokenIds step : steps) {
        longest = Math.max(longest, step.length());
      }
      StepSettings settings = settings(config, longest, optimizer);
      requireMemory(settings, ids, steps);
      ModelFactory.Allocation allocation =
          new ModelFactory.Allocation(Dtype.FLOAT32, device, true, longest, 0);
      try (LanguageModel model = ModelFactory.create(config, allocation)) {
        WeightReader.readAll(weights, model.weights(), model.buffers());
        compareOneBatch(model, expected, ids);
      }
      compareSteps(new OptimizerSteps(settings, device, weights, steps), expected);
    }
  }

  private void requireMemory(StepSettings settings, TokenIds ids, List<TokenIds> steps) {
    int sequences = ids.sequences();
    for (TokenIds step : steps) {
      sequences = Math.max(sequences, step.sequences());
    }
    StepMemory step = StepMemory.of(new DryRunJob(settings, 1, sequences, 1), device, false);
    MemoryCheck.require(
        "a step of this model in fp32",
        device,
        step.need(),
        _ -> "Use a device with more memory, or compare a smaller model");
  }

  /** The step that other programs' series were made with: fp32, the next token's loss alone. */
  static StepSettings settings(ModelConfig config, int longest, AdamWSettings optimizer) {
    return new StepSettings(
        config,
        Precision.FP32,
        Recompute.NONE,
        longest,
        optimizer,
        0,
        LossScaler.Settings.DEFAULT,
        StepSettings.AuxiliaryLosses.NONE);
  }

  private void compareOneBatch(LanguageModel model, ExpectedTensors expected, TokenIds ids) {
    int sequences = ids.sequences();
    try (Scope _ = Scope.open();
        Tape tape = Tape.recording(Recompute.NONE);
        TokenBatch batch = ids.onDevice(device)) {
      Pass pass = Pass.overSequences(tape, sequences, model.rotary(), null);
      Losses losses = model.losses(pass, batch, new LossWeights(1.0 / ids.targets(), 0));
      double loss = HostCopy.item(losses.next().value()) / ids.targets();
      compare("loss", new double[] {loss}, expected);
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
    for (String entry : expected.names()) {
      if (entry.startsWith("grad.")) {
        String name = entry.substring("grad.".length());
        double[] actual = gradients.get(name);
        if (actual == null) {
          throw expected.wrong(
              "it expects the gradient of " + name + ", which this model does not have",
              "Check that config.json belongs to expect.safetensors");
        }
        compare(entry, actual, expected);
      }
    }
  }

  private void compareSteps(OptimizerSteps steps, ExpectedTensors expected) {
    double[] losses = expected.numbers("adamw_losses");
    double[] norms = expected.numbers("grad_norms");
    double[] plain = {};
    double[] closest = {};
    int runs = 0;
    while (runs == 0 || (runs <= perturbedRuns && !(worst(closest) <= tolerance))) {
      OptimizerSteps.Series series = steps.run(runs++);
      double[] errors = {
        ParityResult.error(series.losses(), losses), ParityResult.error(series.norms(), norms)
      };
      plain = runs == 1 ? errors : plain;
      closest = runs == 1 || worst(errors) < worst(closest) ? errors : closest;
    }
    results.add(new ParityResult("adamw_losses", closest[0], plain[0], runs));
    results.add(new ParityResult("grad_norms", closest[1], plain[1], runs));
  }

  /** The larger error; what is no number is worse than all. */
  private static double worst(double[] errors) {
    double worst = Math.max(errors[0], errors[1]);
    return Double.isNaN(worst) ? Double.POSITIVE_INFINITY : worst;
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

  private void compare(String name, double[] actual, ExpectedTensors expected) {
    results.add(ParityResult.of(name, actual, expected.numbers(name)));
  }
}
