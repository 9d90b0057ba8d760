package dev.duoka.cli.command;

import dev.duoka.base.ByteSize;
import dev.duoka.cli.console.ProgressLine;
import dev.duoka.formats.json.Json;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.run.RunChecks;
import dev.duoka.train.run.RunEnvironment;
import dev.duoka.verify.selftest.SelfTest;
import dev.duoka.verify.selftest.SelfTestReport;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka selftest}: whether a mesh on this machine computes what one rank does. */
@Command(
    name = "selftest",
    description = {
      "Check a machine with a small likeness of a run, in less than a minute.",
      "Shrinks the run's model, keeps its mesh, schedule, precision and kinds of layers, trains it"
          + " for a few steps on the run's devices and by its transport, and compares losses,"
          + " gradients and weights with those of one rank. Reads no data and writes nothing. Exit"
          + " status 1 when they differ.",
      "Example: duoka selftest run.yaml"
    })
final class SelftestCommand implements Callable<Integer> {
  private static final int SHOWN = 12;

  @Parameters(index = "0", paramLabel = "RUN.yaml", description = "The run file.")
  private Path runFile = Path.of("run.yaml");

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Override a field, for example --set parallel.tensor=2. Repeatable.")
  private List<String> overrides = new ArrayList<>();

  @Option(names = "--json", description = "Print one JSON object instead of a table.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    RunConfig config = RunFile.read(runFile, overrides, RunChecks::problemsOfSteps);
    RunEnvironment.apply(config, new Notices(spec.commandLine().getErr()));
    SelfTestReport report =
        ProgressLine.during(
            "taking steps on one rank and on the mesh",
            spec.commandLine().getErr(),
            () -> SelfTest.of(config));
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.line(json(report)));
    } else {
      print(out, report);
    }
    out.flush();
    return report.holds() ? 0 : 1;
  }

  private static void print(PrintWriter out, SelfTestReport report) {
    out.println(report.work());
    for (SelfTestReport.Exchanged each : report.exchanges()) {
      out.printf(
          Locale.ROOT,
          "  %-22s %-15s by %-7s %6d calls %12s%n",
          each.group(),
          each.operation(),
          each.transport(),
          each.calls(),
          each.bytes() == 0 ? "hosts only" : ByteSize.text(each.bytes()));
    }
    for (SelfTestReport.Comparison each : report.comparisons()) {
      print(out, each);
    }
    out.printf(
        Locale.ROOT,
        "%s, in %.1f s%n",
        report.holds() ? "holds: the mesh computes what one rank does" : "DOES NOT HOLD",
        report.seconds());
  }

  private static void print(PrintWriter out, SelfTestReport.Comparison comparison) {
    List<SelfTestReport.Differing> differences = comparison.differences();
    if (differences.isEmpty()) {
      out.printf(
          Locale.ROOT,
          "%s: %d tensors and the losses of %d steps are one rank's%s%n",
          comparison.precision(),
          comparison.tensors(),
          comparison.steps(),
          comparison.forked() ? "; other tokens than the first, where rounding chose" : "");
      return;
    }
    out.printf(
        Locale.ROOT,
        "%s: %d of %d tensors, losses and norms differ from one rank's, the worst first:%n",
        comparison.precision(),
        differences.size(),
        comparison.compared());
    for (SelfTestReport.Differing each : differences.stream().limit(SHOWN).toList()) {
      out.printf(
          Locale.ROOT, "  %-72s %.2e, limit %.0e%n", each.name(), each.relative(), each.limit());
    }
    if (differences.size() > SHOWN) {
      out.println("  and " + (differences.size() - SHOWN) + " more; --json has all");
    }
  }

  private static ObjectNode json(SelfTestReport report) {
    ObjectNode root = Json.object();
    root.put("passed", report.holds());
    root.put("work", report.work());
    root.put("seconds", report.seconds());
    ArrayNode comparisons = root.putArray("comparisons");
    for (SelfTestReport.Comparison each : report.comparisons()) {
      ObjectNode comparison = comparisons.addObject();
      comparison.put("precision", each.precision().toString());
      comparison.put("compared", each.compared());
      comparison.put("at_a_fork", each.forked());
      ObjectNode differences = comparison.putObject("differences");
      each.differences().forEach(it -> differences.put(it.name(), it.relative()));
    }
    ArrayNode exchanges = root.putArray("exchanges");
    for (SelfTestReport.Exchanged each : report.exchanges()) {
      ObjectNode exchange = exchanges.addObject();
      exchange.put("group", each.group());
      exchange.put("operation", each.operation());
      exchange.put("transport", each.transport());
      exchange.put("calls", each.calls());
      exchange.put("bytes", each.bytes());
    }
    return root;
  }
}
