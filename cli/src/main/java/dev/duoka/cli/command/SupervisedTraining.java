package dev.duoka.cli.command;

import dev.duoka.cli.console.Attachment;
import dev.duoka.machine.probe.CardUse;
import dev.duoka.operations.process.OwnCommand;
import dev.duoka.operations.run.FewerCards;
import dev.duoka.operations.run.LaunchSpec;
import dev.duoka.operations.run.NodePlace;
import dev.duoka.operations.run.NotifyTarget;
import dev.duoka.operations.run.RemedyPlan;
import dev.duoka.operations.run.RunFollower;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.run.SupervisionFolder;
import dev.duoka.operations.supervise.SupervisorStart;
import dev.duoka.train.config.DivergenceRemedies;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.memory.LessMemory;
import dev.duoka.train.run.FewerRanks;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/** {@code duoka train} with a supervisor: starts it, and shows the run until it is over. */
final class SupervisedTraining {
  /** By name: the class itself uses this package. */
  private static final String MAIN = "dev.duoka.cli.Main";

  private final RunConfig config;
  private final Supplier<List<FewerRanks>> ways;
  private final SupervisionOptions options;
  private final Map<String, String> environment;

  SupervisedTraining(
      RunConfig config,
      Supplier<List<FewerRanks>> ways,
      SupervisionOptions options,
      Map<String, String> environment) {
    this.config = config;
    this.ways = ways;
    this.options = options;
    this.environment = environment;
  }

  /** Whether a run is to have a supervisor: as is said, else on several GPUs. */
  boolean isWanted() {
    if (options.supervise().isPresent()) {
      return options.supervise().get();
    }
    boolean placed =
        environment.containsKey("DUOKA_RANK")
            || environment.containsKey("LOCAL_RANK")
            || environment.containsKey("SLURM_STEP_ID");
    return !placed && (cards().size() > 1 || options.place(environment).nodes() > 1);
  }

  /** The GPUs that the run takes of this machine; none where it has none, or is on the CPU. */
  private List<String> cards() {
    int wanted = config.gpus() / options.place(environment).nodes();
    if (config.gpus() == 0 || CardUse.read().isEmpty()) {
      return List.of();
    }
    String visible = environment.getOrDefault("CUDA_VISIBLE_DEVICES", "").strip();
    List<String> all =
        visible.isEmpty()
            ? CardUse.read().stream().map(card -> String.valueOf(card.index())).toList()
            : List.of(visible.split("\\s*,\\s*"));
    int first = config.device().index().orElse(0);
    return all.stream().skip(first).limit(Math.max(1, wanted)).toList();
  }

  /** How the run goes on when cards are lost; of several machines each has its own. */
  private List<FewerCards> fewerCards(NodePlace place) {
    if (!config.remedies().lostCard() || place.nodes() > 1) {
      return List.of();
    }
    return ways.get().stream()
        .map(
            way ->
                new FewerCards(
                    way.ranks(),
                    place.workers(way.ranks(), config.launch().ranksPerProcess().count()),
                    way.ranks(),
                    way.overrides()))
        .toList();
  }

  private List<List<String>> memoryRemedies() {
    LessMemory less = LessMemory.of(config);
    return less.ways().stream().map(way -> way.overrides(config)).toList();
  }

  /**
   * Trains; the run's exit status.
   *
   * @param arguments of a worker, after {@code train}
   */
  int run(Path runDir, List<String> arguments, PrintWriter out, PrintWriter err)
      throws InterruptedException {
    NodePlace.requireOneOnEachMachine(environment);
    NodePlace place = options.place(environment);
    int ranks = config.parallel().ranks();
    int here = place.workers(ranks, config.launch().ranksPerProcess().count());
    List<String> command = new ArrayList<>(OwnCommand.upToMain(MAIN));
    command.add("train");
    command.addAll(arguments);
    command.addAll(List.of("--no-supervise", "--run-dir", runDir.toAbsolutePath().toString()));
    LaunchSpec launch =
        new LaunchSpec(
            command,
            Path.of("").toAbsolutePath(),
            place,
            here,
            ranks,
            options.maxRestarts(),
            options.grace(environment),
            options.hangSeconds(),
            LaunchSpec.DEFAULT_WARMUP_HANG_SECONDS,
            new RemedyPlan(
                memoryRemedies(),
                LessMemory.outsideOfSteps(config),
                config.remedies().divergence(),
                DivergenceRemedies.of(config),
                fewerCards(place)),
            cards(),
            options.waitForGpus(),
            new NotifyTarget(
                config.notifications().command(),
                config.notifications().webhookVariable(),
                config.notifications().form().name().toLowerCase(Locale.ROOT)));
    StateFolder state = StateFolder.standard();
    SupervisionFolder folder = new SupervisionFolder(runDir, place.node());
    Attachment attachment = new Attachment(folder, state, out, err);
    RunFollower follower = RunFollower.fromNow(folder, attachment);
    SupervisorStart.begin(folder, launch, state);
    return attachment.follow(follower);
  }
}
