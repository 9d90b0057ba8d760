package dev.duoka.measure.step;

import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Layout;
import dev.duoka.parallel.dryrun.DryRun;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DryRunDevice;
import dev.duoka.tensor.MemoryOwner;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/**
 * The memory that a plan predicts of a layout, beside what the engine books when it runs every
 * block and micro-batch of that layout on {@code meta}.
 *
 * @param layout in words
 * @param predicted bytes of tensors at a rank's peak
 * @param counted the same by owner, as the engine books them
 */
public record LayoutMemory(String layout, double predicted, Map<String, Long> counted) {
  private static final double GIB = 1L << 30;

  /**
   * Counts what the engine books on the GPU of a rank of each pipeline stage, and keeps the most.
   *
   * @param length tokens in a sequence
   */
  public static LayoutMemory count(ModelConfig model, Layout layout, int length, double predicted) {
    Map<MemoryOwner, Long> most = Map.of();
    for (DryRunJob job : DryRunJob.of(model, layout, length).ofStages()) {
      Map<MemoryOwner, Long> booked =
          DryRunDevice.of(Device.cuda(0), () -> DryRun.unrolled(job).peakByOwner());
      most = sum(booked.values()) > sum(most.values()) ? booked : most;
    }
    return new LayoutMemory(layout.toString(), predicted, OwnerLabels.of(most));
  }

  private double total() {
    return sum(counted.values());
  }

  private static double sum(Collection<Long> bytes) {
    return bytes.stream().mapToLong(Long::longValue).sum();
  }

  /** How much more is predicted than counted, by what is counted. */
  public double error() {
    return predicted / total() - 1;
  }

  /** For people. */
  public String text() {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%nThe whole step run with shapes alone: %s%n    planned %.2f GiB of tensors, booked"
                + " %.2f GiB: %+.1f %%%n",
            layout,
            predicted / GIB,
            total() / GIB,
            100 * error()));
    counted.forEach(
        (owner, bytes) ->
            text.append(String.format(Locale.ROOT, "    %-15s %8.2f GiB%n", owner, bytes / GIB)));
    return text.toString();
  }

  /** For programs. */
  public ObjectNode json() {
    ObjectNode json = Json.object();
    json.put("description", layout);
    json.put("predicted_gib", predicted / GIB);
    json.put("counted_gib", total() / GIB);
    json.put("error", error());
    ObjectNode owners = json.putObject("counted");
    counted.forEach((owner, bytes) -> owners.put(owner.replace(' ', '_'), bytes / GIB));
    return json;
  }
}
