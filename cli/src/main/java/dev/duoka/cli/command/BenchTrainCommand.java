package dev.duoka.cli.command;

import dev.duoka.base.ByteSize;
import dev.duoka.formats.json.Json;
import dev.duoka.measure.peer.PeerComparison;
import dev.duoka.measure.step.StepJob;
import dev.duoka.measure.step.StepSpeed;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka bench train}: whole training steps on random tokens. */
@Command(
    name = "train",
    description = {
      "Time training steps on random tokens: tokens/s, MFU, roofline utilisation, memory by owner.",
      "--peer runs another program first, on the same card, and quotes the ratio.",
      "With --device meta nothing is computed: the memory alone is counted.",
      BenchHeader.ROOFLINE
    })
final class BenchTrainCommand implements Callable<Integer> {
  private static final int MOST_STEPS = 1_000_000;

  @Mixin private StepOptions step = new StepOptions();

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "8",
      description = "Steps that count (8).")
  private int steps;

  @Option(
      names = "--warm-up",
      paramLabel = "N",
      defaultValue = "3",
      description = "Steps before them (3).")
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
    PeerComparison result =
        PeerComparison.run(step.job(), warmUp, steps, peer, spec.commandLine().getErr());
    StepJob job = result.ours().job();
    ObjectNode report = BenchHeader.report(spec, job.device());
    step.describe(report, job);
    report.put("warm_up", warmUp);
    report.put("steps", steps);
    result.describe(report);
    print(report, result.ours());
    return 0;
  }

  private void print(ObjectNode report, StepSpeed result) {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.line(report));
    } else {
      report.properties().stream()
          .filter(field -> !field.getKey().equals(PeerComparison.OWNERS))
          .forEach(field -> out.printf("%-22s %s%n", field.getKey(), text(field.getValue())));
      result
          .peakByOwner()
          .forEach((owner, bytes) -> out.printf("  %-20s %s%n", owner, ByteSize.text(bytes)));
    }
    out.flush();
  }

  private static String text(JsonNode value) {
    return value.isString() ? value.asString() : value.toString();
  }
}
