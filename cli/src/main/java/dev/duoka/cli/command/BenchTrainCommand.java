package dev.duoka.cli.command;

import dev.duoka.base.ByteSize;
import dev.duoka.cli.bench.Peer;
import dev.duoka.engine.autograd.Recompute;
import dev.duoka.engine.precision.Precision;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ParameterCounts;
import dev.duoka.tensor.Device;
import dev.duoka.train.config.DeviceChoice;
import dev.duoka.train.loop.DevicePeak;
import dev.duoka.train.loop.DevicePlacement;
import dev.duoka.train.loop.ModelFlops;
import dev.duoka.train.loop.ModelSource;
import dev.duoka.train.loop.StepBenchmark;
import dev.duoka.train.loop.StepProfile;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka bench train}: whole training steps on random tokens. */
@Command(
    name = "train",
    description = {
      "Time training steps on random tokens: tokens/s, MFU, memory by owner.",
      "--peer runs another program first, on the same card, and quotes the ratio."
    })
final class BenchTrainCommand implements Callable<Integer> {
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

  @Option(names = "--steps", defaultValue = "8", description = "Steps that count (8).")
  private int steps;

  @Option(names = "--warm-up", defaultValue = "3", description = "Steps before them (3).")
  private int warmUp;

  @Option(
      names = "--device",
      defaultValue = "auto",
      description = "auto, cpu, cuda, or meta to count memory only (auto).")
  private String device = "auto";

  @Option(
      names = "--peer",
      paramLabel = "COMMAND",
      description = "A command whose last line is a JSON object with tok_s and peak_gb.")
  private @Nullable String peer;

  @Option(names = "--profile", description = "Print where the time goes, against its floor.")
  private boolean profile;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    // First, so that the card is free: what this process once took it keeps to its end.
    Peer.Result other = peer == null ? null : Peer.run(peer, spec.commandLine().getErr());
    ModelConfig config = ModelSource.config(model, shape);
    Device where =
        device.equals("meta")
            ? Device.META
            : DevicePlacement.choose(DeviceChoice.parse(device), 1).of(0);
    StepBenchmark.Spec job =
        new StepBenchmark.Spec(
            config,
            precision,
            recompute,
            where,
            batch,
            accumulation,
            length,
            warmUp,
            steps,
            Runtime.getRuntime().availableProcessors());
    List<StepProfile.Line> lines = new ArrayList<>();
    StepBenchmark.Result result;
    if (profile) {
      try (StepProfile seen = new StepProfile(where)) {
        result = StepBenchmark.run(job, seen);
        lines = StepProfile.table(seen.spans(), steps, new StepProfile.Rates(700e12, 3.0e12));
      }
    } else {
      result = StepBenchmark.run(job, null);
    }
    DevicePeak peak = DevicePeak.of(where);
    ObjectNode report = report(job, result, peak, other);
    if (json) {
      out.println(Json.line(report));
    } else {
      report.properties().forEach(e -> out.printf("%-22s %s%n", e.getKey(), e.getValue()));
      result
          .peakByOwner()
          .forEach(
              (owner, bytes) -> out.printf("  %-20s %s%n", owner.label(), ByteSize.text(bytes)));
      print(lines, out);
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
    report.put("model", model + (shape.isEmpty() ? "" : " " + shape));
    report.put("parameters", ParameterCounts.of(job.model()).total());
    report.put("precision", precision.name().toLowerCase(Locale.ROOT));
    report.put("recompute", recompute.name().toLowerCase(Locale.ROOT));
    report.put("batch", batch);
    report.put("accumulation", accumulation);
    report.put("seq", length);
    report.put("step_ms", round(seconds * 1e3, 2));
    report.put("tokens_per_second", round(tokens, 0));
    report.put(
        "mfu", round(tokens * ModelFlops.perToken(job.model(), length) / peak.flopsPerSecond(), 4));
    report.put("peak_gib", round(result.peakBytes() / 0x1p30, 2));
    report.put("driver_gib", round(result.driverBytes() / 0x1p30, 2));
    report.put("first_step_seconds", round(result.firstStepSeconds(), 1));
    report.put("loss", round(result.losses().getLast(), 4));
    if (other != null) {
      report.put("peer_tokens_per_second", other.tokensPerSecond());
      report.put("peer_peak_gib", other.peakGib());
      report.put("speed_ratio", round(tokens / other.tokensPerSecond(), 3));
      report.put("memory_ratio", round(result.peakBytes() / 0x1p30 / other.peakGib(), 3));
    }
    return report;
  }

  private static void print(List<StepProfile.Line> lines, PrintWriter out) {
    double total = 0;
    double floor = 0;
    for (StepProfile.Line line : lines) {
      total += line.milliseconds();
      floor += line.floorMilliseconds();
      out.printf(
          Locale.ROOT,
          "%9.2f ms  floor %8.2f  %4.0f×  %-16s %s%n",
          line.milliseconds(),
          line.floorMilliseconds(),
          line.calls(),
          line.phase().name().toLowerCase(Locale.ROOT).replace('_', ' '),
          line.name());
    }
    if (!lines.isEmpty()) {
      out.printf(Locale.ROOT, "%9.2f ms  floor %8.2f  in all%n", total, floor);
    }
  }

  private static double round(double value, int digits) {
    double scale = Math.pow(10, digits);
    return Math.round(value * scale) / scale;
  }
}
