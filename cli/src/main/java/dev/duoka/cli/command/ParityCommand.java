package dev.duoka.cli.command;

import dev.duoka.cli.console.ProgressLine;
import dev.duoka.formats.json.Json;
import dev.duoka.train.device.SingleDevice;
import dev.duoka.verify.parity.ParityCheck;
import dev.duoka.verify.parity.ParityReport;
import dev.duoka.verify.parity.ParityResult;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka parity}: compares this engine with another implementation's numbers. */
@Command(
    name = "parity",
    description = {
      "Compare loss, logits, gradients and optimizer steps with what another implementation"
          + " computed.",
      "The folder holds config.json, model.safetensors and expect.safetensors; golden/README.md"
          + " says what is in them. Exit status 1 when an error is above the tolerance.",
      "Optimizer steps above it are run again, up to "
          + ParityCheck.PERTURBED_RUNS
          + " times, from weights changed in their last bit; the error is that of the closest run,"
          + " and --json has the plain run's beside it under \"repeated\".",
      "With --mesh the ranks of a mesh compute, as threads: each on a GPU of its own where there"
          + " are enough, else several on one. Gradients are put together from what each rank has;"
          + " logits and an adapter's merged weights are not compared.",
      "An adapter's lora_dropout is left out: nobody can leave out the same inputs again.",
      "Example: duoka parity golden/v3 --mesh tensor=2"
    })
final class ParityCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "DIR", description = "The folder to compare with.")
  private Path folder = Path.of(".");

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "cpu",
      description = "cpu (default), cuda, or one GPU such as cuda:0.")
  private String device = "cpu";

  @Option(
      names = "--mesh",
      paramLabel = "AXIS=N,…",
      description =
          "Ranks along data, tensor, pipeline, expert and context, with zero, schedule and"
              + " stages_per_rank as in a run file's section parallel: data=2,tensor=2.")
  private @Nullable String mesh;

  @Option(
      names = "--tolerance",
      paramLabel = "E",
      description = "Largest relative error; 1e-4 on the CPU and 1e-3 on CUDA by default.")
  private double tolerance;

  @Option(names = "--json", description = "Print one JSON object instead of a table.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    OptionalDouble limit = tolerance > 0 ? OptionalDouble.of(tolerance) : OptionalDouble.empty();
    ParityReport report =
        ProgressLine.during("comparing", spec.commandLine().getErr(), () -> compared(limit));
    if (json) {
      printJson(report);
    } else {
      printTable(report);
    }
    return report.holds() ? 0 : 1;
  }

  private ParityReport compared(OptionalDouble limit) {
    return mesh == null
        ? ParityReport.of(folder, SingleDevice.parse(device), limit)
        : ParityReport.of(folder, mesh, SingleDevice.choice(device), limit);
  }

  private static String verdict(ParityResult result, double limit) {
    if (result.runs() == 1) {
      return result.within(limit) ? "" : "  above the tolerance";
    }
    return String.format(
        Locale.ROOT,
        "  %s: the plain run has %.2e, this is the closest of %d runs that differ in the last bit"
            + " of the weights",
        result.within(limit) ? "at a fork of rounding" : "above the tolerance",
        result.plainError(),
        result.runs());
  }

  private void printTable(ParityReport report) {
    PrintWriter out = spec.commandLine().getOut();
    for (ParityResult result : report.results()) {
      out.printf(
          Locale.ROOT,
          "%-72s %.2e %s%n",
          result.name(),
          result.relativeError(),
          verdict(result, report.tolerance()));
    }
    if (report.dropout() > 0) {
      out.println(
          "The adapter's lora_dropout of "
              + report.dropout()
              + " is left out: what is expected has to be computed without it, too.");
    }
    out.printf(
        Locale.ROOT,
        "%s on %s%s%s: %d tensors, largest relative error %.2e, tolerance %.0e: %s%n",
        folder,
        report.device(),
        report.mesh().map(it -> ", mesh " + it).orElse(""),
        report.notCompared().isEmpty()
            ? ""
            : ", " + String.join(" and ", report.notCompared()) + " not compared",
        report.results().size(),
        report.largestError(),
        report.tolerance(),
        report.holds() ? "holds" : "DOES NOT HOLD");
    out.flush();
  }

  private void printJson(ParityReport report) {
    ObjectNode root = Json.object();
    root.put("folder", folder.toString());
    root.put("device", report.device());
    report.mesh().ifPresent(it -> root.put("mesh", it));
    if (!report.notCompared().isEmpty()) {
      ArrayNode names = root.putArray("not_compared");
      report.notCompared().forEach(names::add);
    }
    if (report.dropout() > 0) {
      root.put("dropout_left_out", report.dropout());
    }
    root.put("tolerance", report.tolerance());
    root.put("passed", report.holds());
    root.put("largest_relative_error", report.largestError());
    ObjectNode errors = root.putObject("relative_errors");
    ObjectNode repeated = root.putObject("repeated");
    for (ParityResult result : report.results()) {
      errors.put(result.name(), result.relativeError());
      if (result.runs() > 1) {
        ObjectNode runs = repeated.putObject(result.name());
        runs.put("plain_relative_error", result.plainError());
        runs.put("closest_relative_error", result.relativeError());
        runs.put("runs", result.runs());
      }
    }
    spec.commandLine().getOut().println(Json.line(root));
    spec.commandLine().getOut().flush();
  }
}
