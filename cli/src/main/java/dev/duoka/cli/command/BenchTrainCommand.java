package dev.duoka.cli.command;

import dev.duoka.base.ByteSize;
import dev.duoka.cli.bench.Peer;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.ParameterCounts;
import dev.duoka.tensor.Device;
import dev.duoka.train.loop.DevicePeak;
import dev.duoka.train.loop.ModelFlops;
import dev.duoka.train.loop.StepBenchmark;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka bench train}: whole training steps on random tokens. */
@Command(
    name = "train",
    description = {
      "Time training steps on random tokens: tokens/s, MFU, memory by owner.",
      "--peer runs another program first, on the same card, and quotes the ratio."
    })
final class BenchTrainCommand implements Callable<Integer> {
  @Mixin private StepOptions step = new StepOptions();

  @Option(names = "--steps", defaultValue = "8", description = "Steps that count (8).")
  private int steps;

  @Option(names = "--warm-up", defaultValue = "3", description = "Steps before them (3).")
  private int warmUp;

  @Option(
      names = "--peer",
      paramLabel = "COMMAND",
      description = "A command whose last line is a JSON object with tok_s and peak_gb.")
  private @Nullable String peer;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    // First, so that the card is free: what this process once took it keeps to its end.
    long start = System.nanoTime();
    Peer.Result other = peer == null ? null : Peer.run(peer, spec.commandLine().getErr());
    double peerSeconds = (System.nanoTime() - start) * 1e-9;
    Device where = step.device();
    StepBenchmark.Spec job = step.job(where, warmUp, steps);
    StepBenchmark.Result result = StepBenchmark.run(job, null);
    DevicePeak peak = DevicePeak.of(where);
    ObjectNode report = report(job, result, peak, other);
    report.put("first_step_seconds", round(result.firstStepSeconds() - peerSeconds, 1));
    if (json) {
      out.println(Json.line(report));
    } else {
      report.properties().forEach(e -> out.printf("%-22s %s%n", e.getKey(), e.getValue()));
      result
          .peakByOwner()
          .forEach(
              (owner, bytes) -> out.printf("  %-20s %s%n", owner.label(), ByteSize.text(bytes)));
    }
    out.flush();
    return 0;
  }

  private ObjectNode report(
      StepBenchmark.Spec job,
      StepBenchmark.Result result,
      DevicePeak peak,
      Peer.@Nullable Result other) {
    double seconds = result.medianSeconds();
    double tokens = job.tokens() / seconds;
    ObjectNode report = Json.object();
    report.put("model", step.name());
    report.put("parameters", ParameterCounts.of(job.model()).total());
    report.put("precision", job.precision().name().toLowerCase(Locale.ROOT));
    report.put("recompute", job.recompute().name().toLowerCase(Locale.ROOT));
    report.put("batch", job.microBatch());
    report.put("accumulation", job.accumulation());
    report.put("seq", job.length());
    report.put("step_ms", round(seconds * 1e3, 2));
    report.put("tokens_per_second", round(tokens, 0));
    report.put(
        "mfu",
        round(tokens * ModelFlops.perToken(job.model(), job.length()) / peak.flopsPerSecond(), 4));
    report.put("peak_gib", round(result.peakBytes() / 0x1p30, 2));
    report.put("driver_gib", round(result.driverBytes() / 0x1p30, 2));
    report.put("loss", round(result.losses().getLast(), 4));
    ArrayNode losses = report.putArray("losses");
    result.losses().forEach(losses::add);
    if (other != null) {
      report.put("peer_tokens_per_second", other.tokensPerSecond());
      report.put("peer_peak_gib", other.peakGib());
      report.put("speed_ratio", round(tokens / other.tokensPerSecond(), 3));
      report.put("memory_ratio", round(result.peakBytes() / 0x1p30 / other.peakGib(), 3));
    }
    return report;
  }

  private static double round(double value, int digits) {
    double scale = Math.pow(10, digits);
    return Math.round(value * scale) / scale;
  }
}
