package dev.duoka.cli.command;

import dev.duoka.engine.precision.PrecisionPolicy;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.loop.DevicePlacement;
import dev.duoka.train.loop.ModelSource;
import dev.duoka.train.loop.StepBenchmark;
import dev.duoka.train.profile.DeviceRates;
import dev.duoka.train.profile.PerfettoTrace;
import dev.duoka.train.profile.StepProfile;
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

/** {@code duoka profile}: where the time of a run's steps goes. */
@Command(
    name = "profile",
    description = {
      "Show where the time of a training step goes, each part beside the least time that this"
          + " device needs for it, the largest lever first; and write a trace for ui.perfetto.dev.",
      "One rank runs the model, batch and precision of the run file on random tokens."
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

  @Option(names = "--steps", defaultValue = "5", description = "Steps that count (5).")
  private int steps;

  @Option(
      names = "--trace",
      paramLabel = "FILE",
      defaultValue = "runs/trace.json",
      description = "Where the trace is written (${DEFAULT-VALUE}).")
  private Path trace = Path.of("runs/trace.json");

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    OptionRange.check("--steps", steps, 1, MOST_STEPS);
    RunConfig config = RunFile.read(runFile, overrides);
    RunEnvironment.apply(config, spec.commandLine().getErr());
    Device device = DevicePlacement.choose(config.device(), 1).of(0);
    int threads = config.threadsPerRank(Runtime.getRuntime().availableProcessors());
    ComputeThread.prepare(device, threads, 1);
    BatchPlan batch = BatchPlan.of(config);
    StepBenchmark.Spec job =
        new StepBenchmark.Spec(
            ModelSource.config(config.model()),
            config.training().precision(),
            config.training().recompute(),
            device,
            batch.microBatch(),
            batch.accumulationSteps(),
            config.data().sequenceLength(),
            2,
            steps,
            threads,
            config.training().deterministic());
    PrintWriter out = spec.commandLine().getOut();
    PerfettoTrace.prepare(trace);
    DeviceRates rates =
        DeviceRates.measure(device, new PrecisionPolicy(job.precision()).computeDtype());
    try (StepProfile profile = new StepProfile(device)) {
      StepBenchmark.Result result = StepBenchmark.run(job, profile);
      List<StepProfile.Span> spans = profile.spans();
      double stepMs =
          1e3 * result.seconds().stream().mapToDouble(Double::doubleValue).average().orElseThrow();
      print(StepProfile.table(spans, steps, rates), stepMs, rates, out);
      out.flush();
      PerfettoTrace.write(trace, spans, rates);
    }
    out.println("trace: " + trace.toAbsolutePath() + " (open it in ui.perfetto.dev)");
    out.flush();
    return 0;
  }

  private static void print(
      List<StepProfile.Line> lines, double stepMs, DeviceRates rates, PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "this device: products %.1f TFLOP/s, copies %.3f TB/s%n%n"
            + "   ms/step     floor   lever  calls  part%n",
        rates.flops() * 1e-12,
        rates.bytes() * 1e-12);
    double total = 0;
    double floor = 0;
    for (StepProfile.Line line : lines) {
      total += line.milliseconds();
      floor += line.floorMilliseconds();
      out.printf(
          Locale.ROOT,
          "%10.2f%10.2f%8.2f%7.0f  %s, %s%n",
          line.milliseconds(),
          line.floorMilliseconds(),
          Math.max(0, line.milliseconds() - line.floorMilliseconds()),
          line.calls(),
          line.name(),
          line.phase().name().toLowerCase(Locale.ROOT).replace('_', ' '));
    }
    double rest = Math.max(0, stepMs - total);
    out.printf(
        Locale.ROOT,
        "%10.2f%10.2f%8.2f         everything else: batches, reading the loss, gaps between parts%n"
            + "%10.2f%10.2f                 the step: %.0f %% of it is floor%n",
        rest,
        0.0,
        rest,
        stepMs,
        floor,
        100 * floor / stepMs);
  }
}
