package dev.duoka.verify.parity;

import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.adapter.AdapterFile;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.Weight;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.tensor.Device;
import dev.duoka.train.checkpoint.StoredModel;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.device.PlacedRanks;
import dev.duoka.train.memory.MemoryCheck;
import dev.duoka.train.memory.StepMemory;
import dev.duoka.train.step.RankBuilder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Runs a model in fp32 against a folder with {@code config.json}, {@code model.safetensors} and
 * {@code expect.safetensors}, or with {@code adapter_config.json} and {@code
 * adapter_model.safetensors} instead of the first two and a base elsewhere: loss, logits and every
 * gradient of one batch, and the losses and gradient norms of optimizer steps from the same start.
 * An adapter's dropout is left out.
 *
 * <p>The expected file holds {@code input_ids [b, t]}, {@code logits [b, t, vocabulary]}, {@code
 * loss [1]} (mean over {@code b·(t − 1)} next tokens), {@code grad.<name>} before clipping, {@code
 * step_ids.<i>}, {@code adamw_losses} and {@code grad_norms}, and of an adapter {@code
 * merged_after.<weight>}, a weight with its adapter after the last step; the optimizer is AdamW
 * with the constants below. Ids are int64 or int32, of any sizes; the rest is of any floating type.
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
  private static final AdamWSettings UNCLIPPED = new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 0);

  /** PEFT's names of a magnitude's gradient and of the magnitude in a file differ. */
  private static final String MAGNITUDE_OF_GRADIENT = "lora_magnitude_vector.weight";

  private static final String MAGNITUDE = "lora_magnitude_vector";

  private static final String MERGED = "merged_after.";

  private final Path folder;
  private final double tolerance;
  private final int perturbedRuns;
  private final List<ParityResult> results = new ArrayList<>();

  private ParityCheck(Path folder, double tolerance, int perturbedRuns) {
    this.folder = folder;
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
    ParityCheck check = new ParityCheck(folder, tolerance, perturbedRuns);
    check.run(
        inputs -> {
          StepSettings settings = settings(inputs.config(), inputs.longest(), optimizer, 0);
          DryRunJob job = new DryRunJob(settings, 1, inputs.mostSequences(), 1);
          requireMemory(StepMemory.of(job, device, false));
          return new OneRank(
              new OptimizerSteps(settings, device, inputs.weights(), inputs.steps()));
        });
    return check.results;
  }

  /**
   * As the other method, by the ranks of a mesh. Logits and merged weights are not compared.
   *
   * @param parallel the mesh
   * @param placement a device for each rank
   * @throws dev.duoka.base.DuokaException when the model or its batches do not admit the mesh
   */
  public static List<ParityResult> run(
      Path folder, ParallelSettings parallel, DevicePlacement placement, double tolerance) {
    ParityCheck check = new ParityCheck(folder, tolerance, PERTURBED_RUNS);
    check.run(
        inputs -> {
          MeshBatches batches = new MeshBatches(parallel);
          batches.require(inputs.config(), inputs.batches());
          StepSettings settings = settings(inputs, OPTIMIZER, parallel);
          requireMemory(inputs, settings, batches, placement);
          return new MeshRanks(
              settings,
              settings(inputs, UNCLIPPED, parallel),
              batches,
              PlacedRanks.of(parallel, placement),
              folder,
              inputs.steps());
        });
    return check.results;
  }

  /** What the folder holds. */
  private record Inputs(
      ModelConfig config, StoredModel weights, TokenIds ids, List<TokenIds> steps) {
    List<TokenIds> batches() {
      List<TokenIds> all = new ArrayList<>(steps);
      all.addFirst(ids);
      return all;
    }

    int longest() {
      return batches().stream().mapToInt(TokenIds::length).max().orElseThrow();
    }

    int mostSequences() {
      return batches().stream().mapToInt(TokenIds::sequences).max().orElseThrow();
    }
  }

  private void run(Function<Inputs, ParityEngine> engines) {
    try (ExpectedTensors expected = ExpectedTensors.open(folder);
        StoredModel weights = StoredModel.open(folder)) {
      ModelConfig config = withoutDropout(weights.config());
      Inputs inputs =
          new Inputs(
              config,
              weights,
              expected.ids(ExpectedTensors.INPUT, config.vocabSize()),
              expected.steps(config.vocabSize()));
      ParityEngine engine = engines.apply(inputs);
      compareOneBatch(engine.oneBatch(inputs.ids()), config, expected);
      compareSteps(engine, expected);
    }
  }

  /** What another program has left out at random, nobody can leave out again. */
  private static ModelConfig withoutDropout(ModelConfig config) {
    AdapterConfig adapter = config.adapter();
    return adapter == null ? config : config.with(adapter.withoutDropout());
  }

  private static void requireMemory(
      Inputs inputs, StepSettings settings, MeshBatches batches, DevicePlacement placement) {
    TokenIds largest =
        inputs.batches().stream().max(Comparator.comparingLong(TokenIds::targets)).orElseThrow();
    DryRunJob job =
        new DryRunJob(
            settings,
            batches.mesh(),
            0,
            batches.microBatch(largest),
            batches.accumulation(largest));
    for (Device device : new HashSet<>(placement.devices())) {
      int sharing = Collections.frequency(placement.devices(), device);
      requireMemory(new StepMemory(job, device, sharing, List.of(), false));
    }
  }

  private static void requireMemory(StepMemory step) {
    MemoryCheck.require(
        "a step of this model in fp32",
        step.device(),
        step.need(),
        _ -> "Use a device with more memory, or compare a smaller model");
  }

  private static StepSettings settings(
      Inputs inputs, AdamWSettings optimizer, ParallelSettings parallel) {
    return settings(inputs.config(), inputs.longest(), optimizer, parallel.zero())
        .with(RankBuilder.pipeline(parallel));
  }

  /** The step that other programs' series were made with: fp32, the next token's loss alone. */
  static StepSettings settings(ModelConfig config, int longest, AdamWSettings optimizer, int zero) {
    return new StepSettings(
        config,
        Precision.FP32,
        Recompute.NONE,
        longest,
        optimizer,
        zero,
        LossScaler.Settings.DEFAULT,
        StepSettings.AuxiliaryLosses.NONE);
  }

  private void compareOneBatch(
      ParityEngine.OneBatch batch, ModelConfig config, ExpectedTensors expected) {
    compare("loss", new double[] {batch.loss()}, expected);
    batch.logits().ifPresent(logits -> compare("logits", logits.values(), expected));
    Map<String, double[]> gradients = byCheckpointNames(config, batch.gradients());
    for (String entry : expected.names()) {
      if (entry.startsWith("grad.")) {
        String name = entry.substring("grad.".length());
        double[] actual = gradients.get(name.replace(MAGNITUDE_OF_GRADIENT, MAGNITUDE));
        if (actual == null) {
          throw expected.wrong(
              "it expects the gradient of " + name + ", which this model does not have",
              "Check that config.json belongs to expect.safetensors");
        }
        compare(entry, actual, expected);
      }
    }
  }

  private void compareSteps(ParityEngine engine, ExpectedTensors expected) {
    double[] losses = expected.numbers("adamw_losses");
    double[] norms = expected.numbers("grad_norms");
    double[] plain = {};
    double[] closest = {};
    MergedTensors merged = MergedTensors.NONE;
    int runs = 0;
    while (runs == 0 || (runs <= perturbedRuns && !(worst(closest) <= tolerance))) {
      OptimizerSteps.Series series = engine.steps(runs++);
      double[] errors = {
        ParityResult.error(series.losses(), losses), ParityResult.error(series.norms(), norms)
      };
      plain = runs == 1 ? errors : plain;
      if (runs == 1 || worst(errors) < worst(closest)) {
        closest = errors;
        merged = series.merged();
      }
    }
    results.add(new ParityResult("adamw_losses", closest[0], plain[0], runs));
    results.add(new ParityResult("grad_norms", closest[1], plain[1], runs));
    for (String entry : expected.names()) {
      if (entry.startsWith(MERGED) && !merged.isEmpty()) {
        compare(entry, merged.of(entry.substring(MERGED.length()), expected), expected);
      }
    }
  }

  /** The larger error; what is no number is worse than all. */
  private static double worst(double[] errors) {
    double worst = Math.max(errors[0], errors[1]);
    return Double.isNaN(worst) ? Double.POSITIVE_INFINITY : worst;
  }

  /** Gradients under the checkpoint's names or PEFT's, stacked ones under the parameter's own. */
  private static Map<String, double[]> byCheckpointNames(
      ModelConfig config, Map<String, double[]> ofParameters) {
    Map<String, double[]> gradients = new HashMap<>(ofParameters);
    for (Weight weight : ModelFactory.declared(config, 0).weights()) {
      double[] whole = ofParameters.get(weight.spec().name());
      if (whole != null) {
        for (CheckpointTensor tensor : weight.checkpointTensors()) {
          int start = Math.toIntExact(tensor.offset());
          gradients.put(
              tensor.name(),
              Arrays.copyOfRange(whole, start, start + Math.toIntExact(tensor.elements())));
        }
      }
    }
    for (AdapterFile.FileTensor tensor :
        AdapterFile.tensors(ModelFactory.declared(config, 0).weights())) {
      double[] whole = ofParameters.get(tensor.weight().spec().name());
      if (whole != null) {
        int start = Math.toIntExact(tensor.part().offset());
        gradients.put(
            tensor.name(),
            tensor.toFile(
                Arrays.copyOfRange(
                    whole, start, start + Math.toIntExact(tensor.part().elements()))));
      }
    }
    return gradients;
  }

  private void compare(String name, double[] actual, ExpectedTensors expected) {
    results.add(ParityResult.of(name, actual, expected.numbers(name)));
  }
}
