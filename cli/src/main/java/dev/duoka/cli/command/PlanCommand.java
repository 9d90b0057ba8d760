package dev.duoka.cli.command;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.cli.console.ProgressLine;
import dev.duoka.formats.json.Json;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.Method;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.Precision;
import dev.duoka.layout.StateForm;
import dev.duoka.measure.step.LayoutMemory;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.ProductFormat;
import dev.duoka.planner.report.PlanJson;
import dev.duoka.planner.report.PlanText;
import dev.duoka.planner.report.PlannedRun;
import dev.duoka.planner.search.Change;
import dev.duoka.planner.search.Plan;
import dev.duoka.planner.search.PlanRequest;
import dev.duoka.planner.search.PlanResult;
import dev.duoka.planner.search.Planner;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka plan}: which layout to run on a machine, and what it needs and achieves. */
@Command(
    name = "plan",
    description = {
      "Search all layouts of a model on a machine: memory by owner, time by cause, cost.",
      "Without --machine and --topo, for this machine. Exit status 1 where nothing fits.",
      "Example: duoka plan --model deepseek-v2-lite --machine 8xA100-80G-SXM",
      "Example: duoka plan --model deepseek-coder-33b --machine 1xRTX4090 --method qlora --seq 2048"
    })
final class PlanCommand implements Callable<Integer> {
  private static final long LARGEST_STEP = 1L << 40;

  @Mixin private PlanningOptions planning = new PlanningOptions();

  @Option(
      names = "--machine",
      paramLabel = "NAME",
      description = "A number and a card of the catalogue, for example 8xA100-80G-SXM.")
  private @Nullable String machine;

  @Option(
      names = "--topo",
      paramLabel = "FILE",
      description = "Output of nvidia-smi topo -m that says how the cards are connected.")
  private @Nullable Path topology;

  @Option(
      names = "--card",
      paramLabel = "CARD",
      description = "Which cards the topology is of, where it does not say so.")
  private @Nullable String card;

  @Option(
      names = "--profile",
      paramLabel = "FILE",
      description =
          "What 'calibrate' measured on a machine, whose rates then count; without it this"
              + " machine's own, where there is one, and otherwise the catalogue's.")
  private @Nullable Path profile;

  @Option(
      names = "--tokens-per-step",
      paramLabel = "N",
      description =
          "The batch in tokens; by default about a million, for adapters about 131072, an equal"
              + " part for every card.")
  private @Nullable Long tokensPerStep;

  @Mixin private AdapterOptions adapter = new AdapterOptions();

  @Option(
      names = "--precision",
      paramLabel = "PRECISION",
      description = "fp32, tf32, bf16, fp16 or fp8; by default bf16, or fp16 on cards without it.")
  private @Nullable String precision;

  @Option(
      names = "--moments",
      paramLabel = "FORM",
      description =
          "The optimizer's moments: fp32, bf16 or 8bit. Without this and the next two, fp32 for"
              + " all, and fewer bits where nothing fits so.")
  private @Nullable String moments;

  @Option(
      names = "--master-weights",
      negatable = true,
      description = "Keep masters in fp32 of 16-bit weights (default), or not.")
  private @Nullable Boolean masterWeights;

  @Option(
      names = "--gradients",
      paramLabel = "FORM",
      description = "Gradients of layers: fp32 (default), or bf16 where a step is one micro-batch.")
  private @Nullable String gradients;

  @Option(
      names = "--imbalance",
      paramLabel = "FACTOR",
      defaultValue = "1.2",
      description = "Tokens of the busiest expert rank against an equal share; default 1.2.")
  private double imbalance = Job.DEFAULT_IMBALANCE;

  @Option(
      names = "--host-memory",
      paramLabel = "GIB",
      description = "Memory of the host; by default an estimate.")
  private @Nullable Double hostMemory;

  @Option(
      names = "--out",
      paramLabel = "RUN.yaml",
      description = "Write the best plan that this version runs as a run file.")
  private @Nullable Path out;

  @Option(
      names = "--data",
      paramLabel = "SOURCE",
      description = "The corpus for that run file; by default jdk:src. Repeatable.")
  private List<String> data = List.of("jdk:src");

  @Option(
      names = "--tokens",
      paramLabel = "N",
      description = "The length of the run for that run file; by default a hundred steps.")
  private @Nullable Long tokens;

  @Option(
      names = "--verify",
      description =
          "Run the whole step of the best plan that this version runs, every block and"
              + " micro-batch, with shapes alone; no GPU is needed. Show its bytes beside the"
              + " plan's, for which each kind of block and phase was run once.")
  private boolean verify;

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    String model =
        planning
            .model()
            .orElseThrow(
                () ->
                    new CommandLine.ParameterException(
                        spec.commandLine(), "Missing required option: '--model=MODEL'"));
    Catalogue catalogue = planning.catalogue();
    PlannedModel planned = PlannedModel.of(model).changed(adapter::on);
    Machine target =
        withHost(
            PlannedMachine.of(
                machine, topology, card, profile, catalogue, spec.commandLine().getErr()));
    Method how = adapter.method();
    PlanRequest request =
        new PlanRequest(
            planned.name(),
            planned.shape(),
            target,
            job(planned, how, target.gpus()),
            how,
            precisions(target),
            states(),
            false,
            EngineTraits.DUOKA);
    PlanResult result;
    Optional<LayoutMemory> verification;
    try (ProgressLine line = ProgressLine.open("planning", spec.commandLine().getErr())) {
      result = new Planner(catalogue).plan(request);
      line.turnTo("running the plan on shapes alone");
      verification = verify ? DryRunOfPlan.count(result) : Optional.empty();
    }
    PrintWriter writer = spec.commandLine().getOut();
    if (json) {
      ObjectNode object = PlanJson.of(result);
      verification.ifPresent(counted -> object.set("verify", counted.json()));
      writer.println(Json.line(object));
    } else {
      writer.print(PlanText.of(result));
      verification.ifPresent(counted -> writer.print(counted.text()));
    }
    writer.flush();
    if (verify && verification.isEmpty()) {
      spec.commandLine()
          .getErr()
          .println(
              "duoka: note: --verify has nothing to run: this version runs none of the layouts"
                  + " that fit");
    }
    if (out != null) {
      writeRun(out, planned, result);
    }
    return result.plans().isEmpty() ? 1 : 0;
  }

  private Job job(PlannedModel planned, Method how, int gpus) {
    int most = planned.shape().config().maxPositions();
    int length = planning.sequenceLength(most);
    if (length > most) {
      spec.commandLine()
          .getErr()
          .println(
              "duoka: note: the model is meant for at most " + most + " tokens, not " + length);
    }
    if (!(imbalance >= 1) || imbalance > 64) {
      throw usage("--imbalance " + imbalance, "1 is balanced, 2 is usual early in training.");
    }
    long step = tokensPerStep == null ? Job.usualTokensPerStep(how, length, gpus) : tokensPerStep;
    if (step < 1 || step > LARGEST_STEP) {
      throw usage("--tokens-per-step " + step, "Give 1 to " + LARGEST_STEP + ".");
    }
    Job job = new Job(length, step, imbalance);
    if (!job.isOfWholeSequences()) {
      throw usage(
          "--tokens-per-step " + step + " is no whole number of sequences of " + length,
          "Nearest: " + job.nearestWholeSequences() + ".");
    }
    if (!job.dividesOver(gpus)) {
      spec.commandLine()
          .getErr()
          .println(
              "duoka: note: "
                  + job.sequences()
                  + " sequences a step do not divide over "
                  + gpus
                  + " cards; --tokens-per-step "
                  + Job.tokensPerStep(step, length, gpus)
                  + " would");
    }
    return job;
  }

  private List<Precision> precisions(Machine target) {
    if (precision == null) {
      return List.of(ProductFormat.halfPrecision(target.card()));
    }
    return List.of(NamedChoice.of(Precision.class, "--precision", precision));
  }

  /** The form that is asked for, else those that are tried, the fullest first. */
  private List<StateForm> states() {
    if (moments == null && masterWeights == null && gradients == null) {
      return PlanRequest.FORMS;
    }
    return List.of(
        new StateForm(
            moments == null
                ? MomentForm.FP32
                : NamedChoice.of(MomentForm.class, "--moments", moments),
            masterWeights == null || masterWeights,
            gradients == null
                ? GradientForm.FP32
                : NamedChoice.of(GradientForm.class, "--gradients", gradients)));
  }

  private Machine withHost(Machine target) {
    if (hostMemory == null) {
      return target;
    }
    if (!(hostMemory > 0) || hostMemory > 1e6) {
      throw usage("--host-memory " + hostMemory, "Give GiB, above 0.");
    }
    return target.withHostMemory(hostMemory);
  }

  private void writeRun(Path file, PlannedModel planned, PlanResult result) {
    Optional<Plan> best = result.bestRunnable();
    if (best.isEmpty()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "no run file was written: this version runs none of the layouts that fit",
          result.changes().stream()
              .filter(Change::runnable)
              .map(change -> "It runs with " + change.change() + ", for one.")
              .findFirst()
              .orElse("The report says what each lacks."));
    }
    if (tokens != null && tokens < 1) {
      throw usage("--tokens " + tokens, "Give at least 1.");
    }
    String text =
        PlannedRun.yaml(
            best.get(),
            result.request(),
            planned.folder(),
            data,
            tokens == null ? OptionalLong.empty() : OptionalLong.of(tokens));
    try {
      CrashSafeFiles.write(file, text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot write " + file + (e instanceof NoSuchFileException ? ": no such folder" : ""),
          "Name a file in a folder that exists.",
          e);
    }
    PrintWriter err = spec.commandLine().getErr();
    err.println("duoka: wrote " + file + ": " + best.get().layout());
    if (!best.get().equals(result.plans().getFirst())) {
      err.println("duoka: note: the best plan is another, which this version cannot run yet");
    }
  }

  private static DuokaException usage(String problem, String remedy) {
    return new DuokaException(ErrorCode.USAGE, problem, remedy);
  }
}
