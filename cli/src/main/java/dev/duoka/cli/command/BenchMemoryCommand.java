package dev.duoka.cli.command;

import dev.duoka.base.ByteSize;
import dev.duoka.formats.json.Json;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.train.loop.StepBenchmark;
import dev.duoka.train.profile.LayerActivations;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka bench memory}: what a dry run predicts beside what a step takes. */
@Command(
    name = "memory",
    description = {
      "Predict a training step's memory by owner with a dry run on 'meta', and compare it with what"
          + " a step takes on the device and what the driver reports.",
      "With --device meta only the prediction is made: no GPU is needed.",
      "In 16 bits and 8 bits the prediction is that of a GPU with our kernels; a CPU, which has"
          + " none, takes more. In fp32 it is that of a CPU, and a GPU differs.",
      "'workspace' is what the driver reports beyond tensors: the CUDA context, kernels, the"
          + " libraries' workspaces, and what the allocator keeps."
    })
final class BenchMemoryCommand implements Callable<Integer> {
  @Mixin private StepOptions step = new StepOptions();

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    step.check();
    Device device = step.device();
    StepBenchmark.Spec dryRun = step.job(Device.META, 1, 1);
    LayerActivations layers = new LayerActivations(Device.META);
    StepBenchmark.Result predicted = StepBenchmark.run(dryRun, layers);
    StepBenchmark.Result taken =
        device.isMeta() ? null : StepBenchmark.run(step.job(device, 2, 2), null);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.line(report(device, dryRun, predicted, layers.bytes(), taken)));
    } else {
      print(out, predicted, layers.bytes(), taken);
      predictedFor(device, dryRun).ifPresent(out::println);
    }
    out.flush();
    return 0;
  }

  private ObjectNode report(
      Device device,
      StepBenchmark.Spec dryRun,
      StepBenchmark.Result predicted,
      Map<Integer, Long> layers,
      StepBenchmark.@Nullable Result taken) {
    ObjectNode report = BenchHeader.report(spec, device);
    step.describe(report, dryRun);
    report.put("predicted_for", kernels(dryRun) ? "cuda" : "cpu");
    report.put("predicted_peak_bytes", predicted.peakBytes());
    BenchHeader.putOwners(report, "predicted_by_owner", predicted.peakByOwner());
    ObjectNode byLayer = report.putObject("predicted_activations_by_layer");
    layers.forEach((layer, bytes) -> byLayer.put(String.valueOf(layer), bytes));
    if (taken != null) {
      report.put("peak_bytes", taken.peakBytes());
      BenchHeader.putOwners(report, "by_owner", taken.peakByOwner());
      if (device.isCuda()) {
        report.put("driver_bytes", taken.driverBytes());
        report.put("workspace_bytes", taken.driverBytes() - taken.peakBytes());
      }
      report.put("error", (double) predicted.peakBytes() / taken.peakBytes() - 1);
    }
    return report;
  }

  private static void print(
      PrintWriter out,
      StepBenchmark.Result predicted,
      Map<Integer, Long> layers,
      StepBenchmark.@Nullable Result taken) {
    for (MemoryOwner owner : MemoryOwner.values()) {
      long guess = predicted.peakByOwner().getOrDefault(owner, 0L);
      long real = taken == null ? 0 : taken.peakByOwner().getOrDefault(owner, 0L);
      if (guess != 0 || real != 0) {
        row(out, owner.label(), guess, taken == null ? -1 : real);
      }
      if (owner == MemoryOwner.ACTIVATIONS) {
        stretches(layers).forEach((name, bytes) -> row(out, "  " + name, bytes, -1));
      }
    }
    row(out, "peak", predicted.peakBytes(), taken == null ? -1 : taken.peakBytes());
    if (taken != null) {
      out.printf(
          Locale.ROOT,
          "predicted %+.2f %%%n",
          100.0 * predicted.peakBytes() / taken.peakBytes() - 100);
    }
    if (taken != null && taken.driverBytes() > 0) {
      out.printf(
          "the driver reports %s: the peak and %s of workspace%n",
          ByteSize.text(taken.driverBytes()),
          ByteSize.text(taken.driverBytes() - taken.peakBytes()));
    }
  }

  /** Neighbouring layers that keep the same, together: what a layer of them keeps. */
  private static Map<String, Long> stretches(Map<Integer, Long> layers) {
    Map<String, Long> stretches = new LinkedHashMap<>();
    int first = 0;
    for (int layer = 0; layer < layers.size(); layer++) {
      Long bytes = layers.get(layer);
      if (layer + 1 == layers.size() || !Objects.equals(layers.get(layer + 1), bytes)) {
        String name = first == layer ? "layer " + layer : "layers " + first + "-" + layer + " each";
        stretches.put(name, bytes == null ? 0L : bytes);
        first = layer + 1;
      }
    }
    return stretches;
  }

  /** Whether the dry run stands for our kernels, which are for GPUs. */
  private static boolean kernels(StepBenchmark.Spec dryRun) {
    return dryRun.precision().hasMasterWeights();
  }

  private static Optional<String> predictedFor(Device device, StepBenchmark.Spec dryRun) {
    if (kernels(dryRun) && device.equals(Device.CPU)) {
      return Optional.of(
          "The prediction is that of a GPU with our kernels: a CPU, which has none, takes more.");
    }
    if (!kernels(dryRun) && !device.equals(Device.CPU)) {
      return Optional.of(
          "In fp32 the prediction is that of a CPU: a GPU with our kernels differs.");
    }
    return Optional.empty();
  }

  private static void row(PrintWriter out, String name, long predicted, long taken) {
    out.printf(
        "%-20s predicted %12s%s%n",
        name,
        ByteSize.text(predicted),
        taken < 0 ? "" : String.format("   taken %12s", ByteSize.text(taken)));
  }
}
