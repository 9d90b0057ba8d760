package dev.duoka.cli.command;

import dev.duoka.base.ByteSize;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Plural;
import dev.duoka.cli.console.ProgressLine;
import dev.duoka.formats.json.Json;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.hardware.MachineProfileFile;
import dev.duoka.layout.Layout;
import dev.duoka.measure.peer.PeerComparison;
import dev.duoka.measure.peer.PeerRun;
import dev.duoka.measure.step.ExpertLoad;
import dev.duoka.measure.step.ForecastReport;
import dev.duoka.measure.step.MeshStepJob;
import dev.duoka.measure.step.MeshStepReport;
import dev.duoka.measure.step.MeshStepSpeed;
import dev.duoka.measure.step.StepJob;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.machine.MeasuredMachines;
import dev.duoka.train.config.MeshOption;
import dev.duoka.train.config.ParallelSettings;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.stream.Collectors;
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
      "With --mesh the ranks of a mesh take the step, as threads, each on a GPU of its own or"
          + " together on the CPU: tokens/s of all and of each, each rank's memory beside its"
          + " prediction, and how long it did nothing but exchange.",
      "On GPUs the planner's time for the step stands beside it, from this machine's profile where"
          + " 'duoka calibrate' has made one.",
      "Of a model with experts 'expert_load' is their share of a further step's tokens: the busiest"
          + " expert of each layer, and with an expert axis the busiest rank, as a multiple of the"
          + " mean. Times of two rows compare only where these do; --token-kinds makes them"
          + " larger.",
      "--peer runs another program first, on the same cards, and quotes the ratios: of all tokens a"
          + " second, and of the card with the most memory.",
      "With --device meta nothing is computed: the memory is counted, and with --profile or"
          + " --machine the time is planned.",
      BenchHeader.ROOFLINE,
      "Example: duoka bench train --mesh data=4,zero=3"
    })
final class BenchTrainCommand implements Callable<Integer> {
  private static final int MOST_STEPS = 1_000_000;

  /** What people see as a table. */
  private static final Set<String> TABLES =
      Set.of(PeerComparison.OWNERS, MeshStepReport.RANKS, ExpertLoad.FIELD);

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
      names = "--mesh",
      paramLabel = "AXIS=N,…",
      description =
          "Ranks along data, tensor, pipeline, expert and context, with zero, replicate, schedule,"
              + " stages_per_rank and blocks_per_bucket as in a run file's section parallel:"
              + " data=4,zero=3. --batch and --accumulation are those of a data-parallel rank.")
  private @Nullable String mesh;

  @Option(
      names = "--collectives",
      paramLabel = "KIND",
      description = "What ranks exchange by, with --mesh: auto, peer, nccl or copies (auto).")
  private @Nullable String collectives;

  @Option(
      names = "--peer",
      paramLabel = "COMMAND",
      description = "A command whose last line is a JSON object with tok_s and, if known, peak_gb.")
  private @Nullable String peer;

  @Option(
      names = "--profile",
      paramLabel = "FILE",
      description =
          "With --device meta: plan the step's time, too, for the cards of this profile, which"
              + " 'duoka calibrate --output' has made of them.")
  private @Nullable Path profile;

  @Option(
      names = "--machine",
      paramLabel = "NAME",
      description =
          "The same by the catalogue's rates, for a number and a card of it: 8xH200-141G-SXM.")
  private @Nullable String machine;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  /** What {@link #profile} or {@link #machine} says; null for this machine. */
  private @Nullable Machine elsewhere;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    step.check();
    OptionRange.check("--steps", steps, 1, MOST_STEPS);
    OptionRange.check("--warm-up", warmUp, 0, MOST_STEPS);
    elsewhere = elsewhere();
    if (mesh != null) {
      measureMesh(mesh);
    } else {
      refuse(collectives, "--collectives", "one rank exchanges nothing", "Give --mesh too");
      measureOne();
    }
    return 0;
  }

  /** Read before anything is counted. */
  private @Nullable Machine elsewhere() {
    if (profile == null && machine == null) {
      return null;
    }
    if (!step.isOnMeta()) {
      throw new DuokaException(
          ErrorCode.USAGE,
          (profile != null ? "--profile is " + profile : "--machine is '" + machine + "'")
              + ", but the step is taken on this machine",
          "Give --device meta too, or leave it out: a profile of these cards is found by itself");
    }
    Catalogue catalogue = Catalogue.builtIn();
    if (profile == null) {
      return catalogue.machine(Objects.requireNonNull(machine));
    }
    refuse(machine, "--machine", "--profile says which machine", "Leave out one of them");
    return MeasuredMachines.of(MachineProfileFile.read(profile), catalogue);
  }

  /** A layout of more ranks than the machine has cards would be planned without their links. */
  private void checkCards(int ranks) {
    if (elsewhere != null && ranks > elsewhere.gpus()) {
      throw new DuokaException(
          ErrorCode.USAGE,
          (profile != null ? "--profile" : "--machine")
              + " is of "
              + Plural.of(elsewhere.gpus(), "card")
              + ", but the mesh has "
              + ranks
              + " ranks",
          "Give a machine with as many.");
    }
  }

  private void measureOne() {
    PeerComparison result =
        peer == null
            ? ProgressLine.during("taking steps", spec.commandLine().getErr(), this::compare)
            : compare();
    StepJob job = result.ours().job();
    ObjectNode report = BenchHeader.report(spec, job.device());
    step.describe(report, job);
    report.put("warm_up", warmUp);
    report.put("steps", steps);
    result.describe(report);
    describeForecast(report, job, job.layout(), job.tokens());
    print(
        report,
        out -> {
          print(out, result.ours().expertLoad());
          printOwners(out, result.ours().peakByOwner());
        });
  }

  private PeerComparison compare() {
    return PeerComparison.run(step.job(), warmUp, steps, peer, spec.commandLine().getErr());
  }

  private void measureMesh(String axes) {
    ParallelSettings parallel =
        MeshOption.parse(collectives == null ? axes : axes + ",collectives=" + collectives);
    checkCards(parallel.ranks());
    MeshStepJob ranks = step.job(parallel);
    PeerRun other = PeerRun.of(peer, spec.commandLine().getErr());
    MeshStepSpeed result =
        ProgressLine.during(
            "taking steps",
            spec.commandLine().getErr(),
            () -> MeshStepSpeed.measure(ranks, warmUp, steps));
    StepJob job = result.job().step();
    ObjectNode report = BenchHeader.report(spec, job.device(), result.ranks().size());
    step.describe(report, job);
    report.put("mesh", axes);
    report.put("warm_up", warmUp);
    report.put("steps", steps);
    MeshStepReport.describe(result, report);
    describeForecast(report, job, ranks.layout(), ranks.tokens());
    other.describe(report, result.tokensPerSecond(), result.peakGib());
    print(
        report,
        out -> {
          print(out, result.expertLoad());
          MeshStepTable.print(out, result);
        });
  }

  /** On GPUs, which the planner knows; a card that it does not know is told on stderr. */
  private void describeForecast(ObjectNode report, StepJob job, Layout layout, long tokens) {
    PrintWriter err = spec.commandLine().getErr();
    Job planned = new Job(job.length(), tokens, Job.DEFAULT_IMBALANCE);
    if (elsewhere != null) {
      ForecastReport.describe(
          new LayoutForecast(job.model(), layout, planned, elsewhere).step(layout), report);
      return;
    }
    if (!job.device().isCuda()) {
      return;
    }
    try {
      ForecastReport.describe(
          new LayoutForecast(job.model(), layout, planned, err).step(layout), report);
    } catch (DuokaException e) {
      err.println("duoka: the step's time is not predicted: " + e.problem());
    }
  }

  private static void refuse(@Nullable String value, String option, String problem, String remedy) {
    if (value != null) {
      throw new DuokaException(
          ErrorCode.USAGE, option + " is '" + value + "', but " + problem, remedy);
    }
  }

  private void print(ObjectNode report, Consumer<PrintWriter> table) {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.line(report));
    } else {
      report.properties().stream()
          .filter(field -> !TABLES.contains(field.getKey()))
          .forEach(field -> out.printf("%-22s %s%n", field.getKey(), text(field.getValue())));
      table.accept(out);
    }
    out.flush();
  }

  private static void print(PrintWriter out, Optional<ExpertLoad> load) {
    load.ifPresent(it -> out.printf("%-22s %s%n", ExpertLoad.FIELD, it.text()));
  }

  private static void printOwners(PrintWriter out, Map<String, Long> bytes) {
    bytes.forEach((owner, it) -> out.printf("  %-20s %s%n", owner, ByteSize.text(it)));
  }

  /** Without the marks of JSON; numbers that are listed have four digits behind the point. */
  static String text(JsonNode value) {
    if (value.isArray()) {
      return value.valueStream().map(BenchTrainCommand::listed).collect(Collectors.joining(", "));
    }
    if (value.isObject()) {
      return value
          .propertyStream()
          .map(field -> field.getKey() + " " + listed(field.getValue()))
          .collect(Collectors.joining(", "));
    }
    return value.isString() ? value.asString() : value.toString();
  }

  private static String listed(JsonNode value) {
    return value.isFloatingPointNumber()
        ? String.format(Locale.ROOT, "%.4f", value.asDouble())
        : text(value);
  }
}
