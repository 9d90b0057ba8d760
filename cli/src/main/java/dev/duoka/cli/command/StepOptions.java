package dev.duoka.cli.command;

import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.measure.step.MeshStepJob;
import dev.duoka.measure.step.StepJob;
import dev.duoka.planner.report.AdapterFields;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.device.CardMemory;
import dev.duoka.train.device.SingleDevice;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ObjectNode;

/** The options that say what a training step is, for every benchmark of one. */
final class StepOptions {
  /** Those that the engine computes in. */
  private static final class Precisions implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return List.of("fp32", "bf16", "fp16", "fp8").iterator();
    }
  }

  /** As in the run file. */
  private static final int LARGEST = 1 << 20;

  /** The random tokens of a step lie in Java's heap, 16 bytes each. */
  private static final long MOST_TOKENS = 1 << 24;

  @Option(
      names = "--model",
      paramLabel = "NAME|DIR",
      defaultValue = "deepseek-coder-1.3b",
      description = "A preset or a folder with config.json (${DEFAULT-VALUE}).")
  private String model = "";

  @Option(
      names = "--shape",
      paramLabel = "KEY=VALUE",
      description = "Change a field of config.json, for example num_hidden_layers=8. Repeatable.")
  private Map<String, String> shape = new LinkedHashMap<>();

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "8",
      description = "Sequences in a micro-batch (8).")
  private int batch;

  @Option(
      names = "--accumulation",
      paramLabel = "N",
      defaultValue = "1",
      description = "Micro-batches a step (1).")
  private int accumulation;

  @Option(
      names = "--seq",
      paramLabel = "N",
      defaultValue = "4096",
      description = "Tokens in a sequence (4096).")
  private int length;

  @Option(
      names = "--precision",
      paramLabel = "PRECISION",
      defaultValue = "bf16",
      completionCandidates = Precisions.class,
      description = "${COMPLETION-CANDIDATES} (${DEFAULT-VALUE}).")
  private Precision precision = Precision.BF16;

  @Option(
      names = "--recompute",
      paramLabel = "KIND",
      defaultValue = "none",
      description = "none, selective, full (${DEFAULT-VALUE}).")
  private Recompute recompute = Recompute.NONE;

  @Mixin private AdapterOptions adapter = new AdapterOptions();

  @Mixin private StateOptions states = new StateOptions();

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "auto",
      description = "auto (a GPU), cpu, cuda, or meta to count memory only (auto).")
  private String device = "auto";

  @Option(names = "--deterministic", description = "The same bits from the same step each time.")
  private boolean deterministic;

  @Option(
      names = "--token-kinds",
      paramLabel = "N",
      description =
          "Draw the random tokens from N of the vocabulary's. The fewer, the more unevenly experts"
              + " are used: expert_load says how (all).")
  private @Nullable Integer tokenKinds;

  /**
   * Refuses sizes that no step can have.
   *
   * @throws dev.duoka.base.DuokaException with the option, the number and the bounds
   */
  void check() {
    OptionRange.check("--batch", batch, 1, LARGEST);
    OptionRange.check("--accumulation", accumulation, 1, LARGEST);
    OptionRange.check("--seq", length, 2, LARGEST);
    // Each factor is below 2^21, so that the product of three does not overflow.
    OptionRange.check(
        "the step's number of tokens, --batch × --accumulation × --seq,",
        (long) batch * accumulation * length,
        2,
        MOST_TOKENS);
    states.check(accumulation);
    adapter.check(precision, states.offload());
  }

  /** Whether nothing is computed. */
  boolean isOnMeta() {
    return device.equals("meta");
  }

  /** Puts what was run into a report. */
  void describe(ObjectNode report, StepJob job) {
    report.put("model", model + (shape.isEmpty() ? "" : " " + shape));
    AdapterConfig trained = job.model().adapter();
    if (trained != null) {
      report.put("method", adapter.method().toString());
      report.set("adapter", AdapterFields.json(trained));
    }
    job.describe(report);
  }

  /** The step of the ranks of a mesh, on their devices. */
  MeshStepJob job(ParallelSettings parallel) {
    return MeshStepJob.of(job(), parallel, device);
  }

  private int tokenKinds(ModelConfig config) {
    if (tokenKinds == null) {
      return config.vocabSize();
    }
    OptionRange.check("--token-kinds", tokenKinds, 1, config.vocabSize());
    return tokenKinds;
  }

  /** The step, on its device. */
  StepJob job() {
    ModelConfig config = adapter.on(ModelSource.config(model, shape));
    CardMemory.chooseFor(config); // before LibTorch is loaded
    SingleDevice where = SingleDevice.parseForBenchmark(device);
    if (!where.isCuda() && !where.isMeta()) {
      states.checkOnCpu();
    }
    return new StepJob(
        config,
        precision,
        recompute,
        where,
        batch,
        accumulation,
        length,
        Runtime.getRuntime().availableProcessors(),
        states.form(),
        states.offload(),
        states.offloadUpdate(),
        states.offloadFraction(),
        deterministic,
        tokenKinds(config));
  }
}
