package dev.duoka.measure.step;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryOwner;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.function.ToLongFunction;
import tools.jackson.databind.node.ObjectNode;

/**
 * The memory of a step by a dry run on {@code meta}, beside what the step takes on its device.
 *
 * @param predicted by the dry run
 * @param layers bytes of activations that each decoder layer leaves behind, in the dry run
 * @param taken on the device; empty where that is {@code meta}
 */
public record MemoryComparison(
    StepJob job, Memory predicted, Map<Integer, Long> layers, Optional<Memory> taken) {
  /**
   * Bytes of a step.
   *
   * @param peakBytes of live tensors
   * @param byOwner what they were
   * @param driverBytes of the card that the driver books on this process; 0 where there is none
   */
  public record Memory(long peakBytes, Map<String, Long> byOwner, long driverBytes) {
    private static Memory of(StepBenchmark.Result result) {
      return new Memory(
          result.peakBytes(), OwnerLabels.of(result.peakByOwner()), result.driverBytes());
    }

    /** What the driver reports beyond tensors; empty where there is no driver. */
    public OptionalLong workspaceBytes() {
      return driverBytes > 0 ? OptionalLong.of(driverBytes - peakBytes) : OptionalLong.empty();
    }
  }

  /** One line of the comparison; {@code taken} is empty for what is known of the dry run alone. */
  public record Line(String name, long predicted, OptionalLong taken) {}

  /** Runs both on the calling thread. */
  public static MemoryComparison run(StepJob job) {
    LayerActivations layers = new LayerActivations(Device.META);
    StepBenchmark.Result predicted = StepBenchmark.run(job.on(Device.META, 1, 1), layers);
    Optional<Memory> taken =
        job.device().isMeta()
            ? Optional.empty()
            : Optional.of(Memory.of(StepBenchmark.run(job.on(job.device().device(), 2, 2), null)));
    return new MemoryComparison(job, Memory.of(predicted), layers.bytes(), taken);
  }

  /** Whether the dry run stands for our kernels, which are for GPUs. */
  public boolean ofOurKernels() {
    return job.precision().hasMasterWeights();
  }

  /** How much more the dry run predicts than the step takes, by what it takes. */
  public OptionalDouble error() {
    return taken.isEmpty()
        ? OptionalDouble.empty()
        : OptionalDouble.of((double) predicted.peakBytes() / taken.get().peakBytes() - 1);
  }

  /** {@link #error} in percent. */
  public OptionalDouble errorPercent() {
    return taken.isEmpty()
        ? OptionalDouble.empty()
        : OptionalDouble.of(100.0 * predicted.peakBytes() / taken.get().peakBytes() - 100);
  }

  /** Why the two differ on this device; empty where they should not. */
  public Optional<String> caveat() {
    boolean cpu = job.device().device().equals(Device.CPU);
    if (ofOurKernels() && cpu) {
      return Optional.of(
          "The prediction is that of a GPU with our kernels: a CPU, which has none, takes more.");
    }
    if (!ofOurKernels() && !cpu) {
      return Optional.of(
          "In fp32 the prediction is that of a CPU: a GPU with our kernels differs.");
    }
    return Optional.empty();
  }

  /** By owner, the activations by layer too, and the peak last. */
  public List<Line> lines() {
    List<Line> lines = new ArrayList<>();
    for (MemoryOwner owner : MemoryOwner.values()) {
      long guess = predicted.byOwner().getOrDefault(owner.label(), 0L);
      OptionalLong real = taken(memory -> memory.byOwner().getOrDefault(owner.label(), 0L));
      if (guess != 0 || real.orElse(0) != 0) {
        lines.add(new Line(owner.label(), guess, real));
      }
      if (owner == MemoryOwner.ACTIVATIONS) {
        stretches()
            .forEach(
                (name, bytes) -> lines.add(new Line("  " + name, bytes, OptionalLong.empty())));
      }
    }
    lines.add(new Line("peak", predicted.peakBytes(), taken(Memory::peakBytes)));
    return lines;
  }

  private OptionalLong taken(ToLongFunction<Memory> bytes) {
    return taken.isEmpty() ? OptionalLong.empty() : OptionalLong.of(bytes.applyAsLong(taken.get()));
  }

  /** Neighbouring layers that keep the same, together: what a layer of them keeps. */
  private Map<String, Long> stretches() {
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

  /** Adds the comparison to a report. */
  public void describe(ObjectNode report) {
    report.put("predicted_for", ofOurKernels() ? "cuda" : "cpu");
    report.put("predicted_peak_bytes", predicted.peakBytes());
    putOwners(report, "predicted_by_owner", predicted);
    ObjectNode byLayer = report.putObject("predicted_activations_by_layer");
    layers.forEach((layer, bytes) -> byLayer.put(String.valueOf(layer), bytes));
    if (taken.isPresent()) {
      Memory real = taken.get();
      report.put("peak_bytes", real.peakBytes());
      putOwners(report, "by_owner", real);
      if (job.device().isCuda()) {
        report.put("driver_bytes", real.driverBytes());
        report.put("workspace_bytes", real.driverBytes() - real.peakBytes());
      }
      error().ifPresent(error -> report.put("error", error));
    }
  }

  private static void putOwners(ObjectNode report, String name, Memory memory) {
    ObjectNode owners = report.putObject(name);
    memory.byOwner().forEach((owner, bytes) -> owners.put(owner, bytes));
  }
}
