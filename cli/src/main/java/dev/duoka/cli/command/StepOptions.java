package dev.duoka.cli.command;

import dev.duoka.engine.autograd.Recompute;
import dev.duoka.engine.precision.Precision;
import dev.duoka.tensor.Device;
import dev.duoka.train.config.DeviceChoice;
import dev.duoka.train.loop.DevicePlacement;
import dev.duoka.train.loop.ModelSource;
import dev.duoka.train.loop.StepBenchmark;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** The options that say what a training step is, for every benchmark of one. */
final class StepOptions {
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

  @Option(names = "--batch", defaultValue = "8", description = "Sequences in a micro-batch (8).")
  private int batch;

  @Option(names = "--accumulation", defaultValue = "1", description = "Micro-batches a step (1).")
  private int accumulation;

  @Option(names = "--seq", defaultValue = "4096", description = "Tokens in a sequence (4096).")
  private int length;

  @Option(
      names = "--precision",
      defaultValue = "BF16",
      description = "${COMPLETION-CANDIDATES} (${DEFAULT-VALUE}).")
  private Precision precision = Precision.BF16;

  @Option(
      names = "--recompute",
      defaultValue = "NONE",
      description = "${COMPLETION-CANDIDATES} (${DEFAULT-VALUE}).")
  private Recompute recompute = Recompute.NONE;

  @Option(
      names = "--device",
      defaultValue = "auto",
      description = "auto, cpu, cuda, or meta to count memory only (auto).")
  private String device = "auto";

  @Option(names = "--deterministic", description = "The same bits from the same step each time.")
  private boolean deterministic;

  /** How reports call the model. */
  String name() {
    return model + (shape.isEmpty() ? "" : " " + shape);
  }

  /** Where it runs. */
  Device device() {
    return device.equals("meta")
        ? Device.META
        : DevicePlacement.choose(DeviceChoice.parse(device), 1).of(0);
  }

  /** The benchmark of such a step. */
  StepBenchmark.Spec job(Device where, int warmUp, int steps) {
    return new StepBenchmark.Spec(
        ModelSource.config(model, shape),
        precision,
        recompute,
        where,
        batch,
        accumulation,
        length,
        warmUp,
        steps,
        Runtime.getRuntime().availableProcessors(),
        deterministic);
  }
}
