package dev.duoka.cli.command;

import dev.duoka.base.Percent;
import dev.duoka.cli.console.ProgressLine;
import dev.duoka.formats.json.Json;
import dev.duoka.measure.kernel.DeviceRates;
import dev.duoka.measure.profile.PerfettoTrace;
import dev.duoka.measure.profile.ProfiledRanks;
import dev.duoka.measure.profile.ProfiledSteps;
import dev.duoka.measure.profile.StepProfile;
import dev.duoka.measure.step.MeshStepJob;
import dev.duoka.measure.step.StepJob;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.run.RunChecks;
import dev.duoka.train.run.RunEnvironment;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka profile}: where the time of a run's steps goes. */
@Command(
    name = "profile",
    description = {
      "Show where the time of a training step goes, each part beside the least time that this"
          + " device needs for it, the largest lever first; and write a trace for ui.perfetto.dev.",
      "The ranks of the run file's mesh, as threads, run its model, batch and precision on random"
          + " tokens. With several the trace holds each rank's computing and its exchanges beside,"
          + " the table of times is that of the slowest rank, and --json has those of all.",
      "--set parallel='{}' profiles one rank alone.",
      BenchHeader.ROOFLINE,
      "Example: duoka profile run.yaml"
    })
final class ProfileCommand implements Callable<Integer> {
  /** Every part of every step is an event that is kept until the end. */
  private static final int MOST_STEPS = 1000;

  @Parameters(index = "0", paramLabel = "RUN.yaml", description = "The run file.")
  private Path runFile = Path.of("run.yaml");

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Override a field of the run file. Repeatable.")
  private List<String> overrides = new ArrayList<>();

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "5",
      description = "Steps that count (5).")
  private int steps;

  @Option(
      names = "--trace",
      paramLabel = "FILE",
      defaultValue = "runs/trace.json",
      description = "Where the trace is written (${DEFAULT-VALUE}).")
  private Path trace = Path.of("runs/trace.json");

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    OptionRange.check("--steps", steps, 1, MOST_STEPS);
    RunConfig config = RunFile.read(runFile, overrides, RunChecks::problemsOfSteps);
    RunEnvironment.apply(config, new Notices(spec.commandLine().getErr()));
    PerfettoTrace.prepare(trace);
    if (config.parallel().ranks() > 1) {
      profileRanks(config);
      return 0;
    }
    StepJob job = StepJob.of(config);
    ProfiledSteps profiled =
        ProgressLine.during(
            "taking steps",
            spec.commandLine().getErr(),
            () -> ProfiledSteps.run(job, steps, job::calibrate));
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.line(report(profiled)));
    } else {
      print(profiled, out);
    }
    out.flush();
    profiled.writeTrace(trace);
    if (!json) {
      out.println("trace: " + trace.toAbsolutePath() + " (open it in ui.perfetto.dev)");
      out.flush();
    }
    return 0;
  }

  private void profileRanks(RunConfig config) {
    ProfiledRanks profiled =
        ProgressLine.during(
            "taking steps",
            spec.commandLine().getErr(),
            () -> ProfiledRanks.run(MeshStepJob.of(config), steps));
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      StepJob job = profiled.job().step();
      ObjectNode report = BenchHeader.report(spec, job.device(), profiled.ranks().size());
      report.put("run_file", runFile.toString());
      job.describe(report);
      report.put("steps", steps);
      profiled.describe(report);
      report.put("trace", trace.toString());
      out.println(Json.line(report));
    } else {
      print(profiled, out);
    }
    out.flush();
    profiled.writeTrace(trace);
    if (!json) {
      out.println("trace: " + trace.toAbsolutePath() + " (open it in ui.perfetto.dev)");
      out.flush();
    }
  }

  private static void print(ProfiledRanks profiled, PrintWriter out) {
    print(profiled.rates(), "the first rank's device", out);
    out.printf(
        Locale.ROOT,
        "%-20s%10s%10s%10s   %s%n",
        "rank",
        "ms/step",
        "floor",
        "roofline",
        "ms that only exchanged, and that exchanged beside, by group");
    for (ProfiledRanks.Rank rank : profiled.ranks()) {
      out.printf(
          Locale.ROOT,
          "%-20s%10.2f%10.2f%10s   %s%n",
          rank.trace().name(),
          rank.milliseconds(),
          rank.floorMilliseconds(),
          Percent.text(rank.rooflineUtilisation()),
          exchanged(rank));
    }
    ProfiledRanks.Rank slowest = profiled.ranks().get(profiled.slowest());
    out.printf(
        "%nof %s, whose parts count what they exchange within themselves:%n",
        slowest.trace().name());
    print(slowest.lines(), out);
    printTotals(
        slowest.restMilliseconds(),
        slowest.milliseconds(),
        slowest.floorMilliseconds(),
        OptionalDouble.of(slowest.rooflineUtilisation()),
        "batches, reading the loss, gaps between parts, exchange and waiting outside of them",
        out);
    out.printf(
        Locale.ROOT,
        "all %d ranks: %,.0f tokens/s, MFU %s%n",
        profiled.ranks().size(),
        profiled.tokensPerSecond(),
        percent(profiled.mfu()));
  }

  private static String exchanged(ProfiledRanks.Rank rank) {
    Set<String> groups = new TreeSet<>(rank.exposedMilliseconds().keySet());
    groups.addAll(rank.besideMilliseconds().keySet());
    return groups.stream()
        .map(
            group ->
                String.format(
                    Locale.ROOT,
                    "%s %.2f, %.2f",
                    group,
                    rank.exposedMilliseconds().getOrDefault(group, 0.0),
                    rank.besideMilliseconds().getOrDefault(group, 0.0)))
        .collect(Collectors.joining("; "));
  }

  private ObjectNode report(ProfiledSteps profiled) {
    StepJob job = profiled.speed().job();
    ObjectNode report = BenchHeader.report(spec, job.device());
    report.put("run_file", runFile.toString());
    job.describe(report);
    report.put("steps", steps);
    profiled.describe(report);
    report.put("trace", trace.toString());
    return report;
  }

  private static void print(ProfiledSteps profiled, PrintWriter out) {
    print(profiled.rates(), "this device", out);
    print(profiled.lines(), out);
    printTotals(
        profiled.restMilliseconds(),
        profiled.speed().milliseconds(),
        profiled.speed().floorMilliseconds(),
        profiled.speed().rooflineUtilisation(),
        "batches, reading the loss, gaps between parts",
        out);
    out.printf("MFU %s%n", percent(profiled.speed().mfu()));
  }

  private static void print(DeviceRates rates, String whose, PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "%s: products %.1f TFLOP/s, copies %.3f TB/s%n%n",
        whose,
        rates.teraFlops(),
        rates.terabytes());
  }

  private static void printTotals(
      double rest,
      double milliseconds,
      double floor,
      OptionalDouble roofline,
      String others,
      PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "%10.2f%10.2f%8.2f         everything else: %s%n"
            + "%10.2f%10.2f                 the step: roofline utilisation %s%n",
        rest,
        0.0,
        rest,
        others,
        milliseconds,
        floor,
        percent(roofline));
    if (floor > milliseconds) {
      out.println(
          "The floor is above the time: something else kept this device busy whenever it was"
              + " measured. Measure again on an idle machine.");
    }
  }

  private static void print(List<StepProfile.Line> lines, PrintWriter out) {
    out.println("   ms/step     floor   lever  calls  part");
    for (StepProfile.Line line : lines) {
      out.printf(
          Locale.ROOT,
          "%10.2f%10.2f%8.2f%7.0f  %s%s%n",
          line.milliseconds(),
          line.floorMilliseconds(),
          line.leverMilliseconds(),
          line.calls(),
          line.label(),
          line.isFloorInDoubt() ? " (floor in doubt: above the time)" : "");
    }
  }

  private static String percent(OptionalDouble share) {
    return share.isPresent() ? Percent.text(share.getAsDouble()) : "not known";
  }
}
