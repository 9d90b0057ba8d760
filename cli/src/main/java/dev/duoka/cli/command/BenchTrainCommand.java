package dev.duoka.cli.command;

import dev.duoka.base.ByteSize;
import dev.duoka.formats.json.Json;
import dev.duoka.measure.peer.Peer;
import dev.duoka.measure.step.StepBenchmark;
import dev.duoka.tensor.Device;
import dev.duoka.train.device.DevicePeak;
import dev.duoka.train.step.ModelFlops;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka bench train}: whole training steps on random tokens. */
@Command(
    name = "train",
    description = {
      "Time training steps on random tokens: tokens/s, MFU, memory by owner.",
      "--peer runs another program first, on the same card, and quotes the ratio.",
      "With --device meta nothing is computed: the memory alone is counted."
    })
final class BenchTrainCommand implements Callable<Integer> {
  private static final int MOST_STEPS = 1_000_000;
  private static final String OWNERS = "memory_by_owner";

  @Mixin private StepOptions step = new StepOptions();

  @Option(names = "--steps", defaultValue = "8", description = "Steps that count (8).")
  private int steps;

  @Option(names = "--warm-up", defaultValue = "3", description = "Steps before them (3).")
  private int warmUp;

  @Option(
      names = "--peer",
      paramLabel = "COMMAND",
      description = "A command whose last line is a JSON object with tok_s and, if known, peak_gb.")
  private @Nullable String peer;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    step.check();
    OptionRange.check("--steps", steps, 1, MOST_STEPS);
    OptionRange.check("--warm-up", warmUp, 0, MOST_STEPS);
    // First, so that the card is free: what this process once took it keeps to its end.
    long start = System.nanoTime();
    Peer.Result other = peer == null ? null : Peer.run(peer, spec.commandLine().getErr());
    double peerSeconds = (System.nanoTime() - start) * 1e-9;
    Device where = step.device();
    StepBenchmark.Spec job = step.job(where, warmUp, steps);
    StepBenchmark.Result result = StepBenchmark.run(job, null);
    ObjectNode report = BenchHeader.report(spec, where);
    step.describe(report, job);
    report.put("warm_up", warmUp);
    report.put("steps", steps);
    if (!where.isMeta()) {
      putTimes(report, job, result, DevicePeak.of(where));
      report.put("first_step_seconds", round(result.firstStepSeconds() - peerSeconds, 1));
    }
    report.put("peak_gib", round(result.peakBytes() / 0x1p30, 2));
    if (where.isCuda()) {
      report.put("driver_gib", round(result.driverBytes() / 0x1p30, 2));
    }
    BenchHeader.putOwners(report, OWNERS, result.peakByOwner());
    if (other != null) {
      compare(report, job, result, other);
    }
    print(report, result);
    return 0;
  }

  private void print(ObjectNode report, StepBenchmark.Result result) {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.line(report));
    } else {
      report.properties().stream()
          .filter(field -> !field.getKey().equals(OWNERS))
          .forEach(field -> out.printf("%-22s %s%n", field.getKey(), text(field.getValue())));
      result
          .peakByOwner()
          .forEach(
              (owner, bytes) -> out.printf("  %-20s %s%n", owner.label(), ByteSize.text(bytes)));
    }
    out.flush();
  }

  private static String text(JsonNode value) {
    return value.isString() ? value.asString() : value.toString();
  }

  /** What only a device that computes has. */
  private static void putTimes(
      ObjectNode report, StepBenchmark.Spec job, StepBenchmark.Result result, DevicePeak peak) {
    double seconds = result.medianSeconds();
    double tokens = job.tokens() / seconds;
    double flops = tokens * ModelFlops.perToken(job.model(), job.length());
    report.put("step_ms", round(seconds * 1e3, 2));
    report.put("tokens_per_second", round(tokens, 0));
    if (Double.isFinite(peak.flopsPerSecond())) {
      report.put("mfu", round(flops / peak.flopsPerSecond(), 4));
    }
    report.put("mfu_against", peak.source());
    report.put("loss", round(result.losses().getLast(), 4));
    ArrayNode losses = report.putArray("losses");
    result.losses().forEach(losses::add);
  }

  private static void compare(
      ObjectNode report, StepBenchmark.Spec job, StepBenchmark.Result result, Peer.Result other) {
    report.put("peer_tokens_per_second", other.tokensPerSecond());
    if (!job.device().isMeta()) {
      double tokens = job.tokens() / result.medianSeconds();
      report.put("speed_ratio", round(tokens / other.tokensPerSecond(), 3));
    }
    other
        .peakGib()
        .ifPresent(
            gib -> {
              report.put("peer_peak_gib", gib);
              report.put("memory_ratio", round(result.peakBytes() / 0x1p30 / gib, 3));
            });
  }

  private static double round(double value, int digits) {
    double scale = Math.pow(10, digits);
    return Math.round(value * scale) / scale;
  }
}
