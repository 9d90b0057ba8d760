package dev.duoka.cli.command;

import dev.duoka.base.ByteSize;
import dev.duoka.formats.json.Json;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.train.loop.StepBenchmark;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
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
      "With --device meta only the prediction is made: no GPU is needed."
    })
final class BenchMemoryCommand implements Callable<Integer> {
  @Mixin private StepOptions step = new StepOptions();

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    Device device = step.device();
    StepBenchmark.Result predicted = StepBenchmark.run(step.job(Device.META, 1, 1), null);
    StepBenchmark.Result taken =
        device.isMeta() ? null : StepBenchmark.run(step.job(device, 2, 2), null);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      ObjectNode report = Json.object();
      report.put("predicted_peak_bytes", predicted.peakBytes());
      put(report.putObject("predicted_by_owner"), predicted.peakByOwner());
      if (taken != null) {
        report.put("peak_bytes", taken.peakBytes());
        put(report.putObject("by_owner"), taken.peakByOwner());
        report.put("driver_bytes", taken.driverBytes());
        report.put("error", (double) predicted.peakBytes() / taken.peakBytes() - 1);
      }
      out.println(Json.line(report));
    } else {
      for (MemoryOwner owner : MemoryOwner.values()) {
        long guess = predicted.peakByOwner().getOrDefault(owner, 0L);
        long real = taken == null ? 0 : taken.peakByOwner().getOrDefault(owner, 0L);
        if (guess != 0 || real != 0) {
          row(out, owner.label(), guess, taken == null ? -1 : real);
        }
      }
      row(out, "peak", predicted.peakBytes(), taken == null ? -1 : taken.peakBytes());
      if (taken != null) {
        out.printf(
            Locale.ROOT,
            "predicted %+.2f %%; the driver reports %s%n",
            100.0 * predicted.peakBytes() / taken.peakBytes() - 100,
            ByteSize.text(taken.driverBytes()));
      }
    }
    out.flush();
    return 0;
  }

  private static void put(ObjectNode node, Map<MemoryOwner, Long> owners) {
    owners.forEach((owner, bytes) -> node.put(owner.label(), bytes));
  }

  private static void row(PrintWriter out, String name, long predicted, long taken) {
    out.printf(
        "%-16s predicted %12s%s%n",
        name,
        ByteSize.text(predicted),
        taken < 0 ? "" : String.format("   taken %12s", ByteSize.text(taken)));
  }
}
