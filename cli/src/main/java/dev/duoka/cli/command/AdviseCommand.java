package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.cli.console.ProgressLine;
import dev.duoka.formats.json.Json;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.planner.advise.Advice;
import dev.duoka.planner.advise.AdviceRequest;
import dev.duoka.planner.advise.Adviser;
import dev.duoka.planner.advise.LargestModel;
import dev.duoka.planner.advise.LargestModels;
import dev.duoka.planner.advise.Payment;
import dev.duoka.planner.advise.Task;
import dev.duoka.planner.report.AdviceJson;
import dev.duoka.planner.report.AdviceText;
import dev.duoka.planner.report.HardwareDocs;
import dev.duoka.planner.report.LargestModelsText;
import java.io.PrintWriter;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code duoka advise}: which machine to buy or rent for a model and a job. */
@Command(
    name = "advise",
    description = {
      "Rank machines for a model and a job: what fits, tokens/s, hours, energy and money.",
      "Needs --budget, to rank all machines of the catalogue, or --gpus, to compare some.",
      "With --largest: the largest published model that each machine trains in full, with the"
          + " optimizer's states on the cards and in host memory; by default of 1, 2, 4 and 8 cards"
          + " of 24, 48, 80 and 141 GB, which takes minutes.",
      "Exit status 1 where no machine fits the job and the budget.",
      "Example: duoka advise --model deepseek-v2-lite --gpus 8xA100-80G-SXM,4xRTX4090",
      "Example: duoka advise --largest --gpus 2xRTX3090,4xRTX3090"
    })
final class AdviseCommand implements Callable<Integer> {
  private static final long MOST_TOKENS = 1_000_000_000_000_000L;

  @Mixin private PlanningOptions planning = new PlanningOptions();

  @Option(
      names = "--budget",
      paramLabel = "USD",
      description = "What may be spent, on renting for the job or on buying the cards.")
  private @Nullable Double budget;

  @Option(
      names = "--pay",
      paramLabel = "HOW",
      defaultValue = "either",
      description = "What the budget is for: rent, buy, or either (default).")
  private String pay = "either";

  @Option(
      names = "--gpus",
      paramLabel = "LIST",
      description = "The machines to compare, for example 8xA100-80G-SXM,4xRTX4090.")
  private @Nullable String gpus;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      defaultValue = "pretrain",
      description = "pretrain (default) or finetune.")
  private String task = "pretrain";

  @Option(
      names = "--tokens",
      paramLabel = "N",
      description =
          "Tokens to train on; by default 20 for each active parameter, 100 million to finetune.")
  private @Nullable Long tokens;

  @Option(
      names = "--largest",
      description = "Name the largest model of each machine instead of ranking them.")
  private boolean largest;

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Option(
      names = "--docs",
      description = "Print the catalogue, or with --largest that table, as a page in Markdown.")
  private boolean docs;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    Catalogue catalogue = planning.catalogue();
    PrintWriter out = spec.commandLine().getOut();
    if (largest) {
      return printLargest(catalogue, out);
    }
    if (docs) {
      out.print(HardwareDocs.markdown(catalogue));
      out.flush();
      return 0;
    }
    String model =
        planning
            .model()
            .orElseThrow(
                () ->
                    new CommandLine.ParameterException(
                        spec.commandLine(), "name a --model, or --docs for the catalogue"));
    if (budget == null && gpus == null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "give a --budget in dollars, or --gpus with the machines to compare");
    }
    Adviser adviser = new Adviser(catalogue);
    Advice advice;
    try (ProgressLine _ = ProgressLine.open("planning", spec.commandLine().getErr())) {
      advice = adviser.advise(request(adviser, PlannedModel.of(model)));
    }
    out.print(json ? Json.line(AdviceJson.of(advice)) + "\n" : AdviceText.of(advice));
    out.flush();
    boolean found = advice.machines().stream().anyMatch(m -> m.fits() && m.affordable());
    return found ? 0 : 1;
  }

  private int printLargest(Catalogue catalogue, PrintWriter out) {
    if (planning.model().isPresent() || budget != null || tokens != null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          "--largest takes no --model, --budget or --tokens: it looks for models");
    }
    LargestModels models = new LargestModels(catalogue);
    List<Machine> machines =
        gpus == null ? models.usualMachines() : new Adviser(catalogue).machines(gpus);
    int length = planning.sequenceLength(Integer.MAX_VALUE);
    List<LargestModel> found;
    try (ProgressLine line = ProgressLine.open("planning", spec.commandLine().getErr())) {
      found = models.of(machines, length, NamedChoice.of(Task.class, "--task", task), line);
    }
    if (json) {
      out.println(Json.line(LargestModelsText.json(found)));
    } else {
      out.print(
          docs ? LargestModelsText.markdown(found, length) : LargestModelsText.of(found, length));
    }
    out.flush();
    return found.stream().anyMatch(one -> one.plan().isPresent()) ? 0 : 1;
  }

  private AdviceRequest request(Adviser adviser, PlannedModel planned) {
    if (budget != null && (!(budget > 0) || budget > 1e12)) {
      throw usage("--budget " + budget, "Give dollars, above 0 and at most 1e12.");
    }
    if (tokens != null && (tokens < 1 || tokens > MOST_TOKENS)) {
      throw usage("--tokens " + tokens, "Give 1 to " + MOST_TOKENS + ".");
    }
    int most = planned.shape().config().maxPositions();
    int length = planning.sequenceLength(most);
    Task what = NamedChoice.of(Task.class, "--task", task);
    return new AdviceRequest(
        planned.name(),
        planned.shape(),
        what,
        tokens == null ? what.tokens(planned.shape()) : tokens,
        length,
        budget == null ? OptionalDouble.empty() : OptionalDouble.of(budget),
        NamedChoice.of(Payment.class, "--pay", pay),
        gpus == null ? adviser.usualMachines() : adviser.machines(gpus));
  }

  private static DuokaException usage(String problem, String remedy) {
    return new DuokaException(ErrorCode.USAGE, problem, remedy);
  }
}
