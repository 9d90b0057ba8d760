package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Progress;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.launch.RankRange;
import dev.duoka.data.batch.BatchStream;
import dev.duoka.data.batch.PairSequences;
import dev.duoka.data.batch.TrainingOrder;
import dev.duoka.data.training.TrainingData;
import dev.duoka.engine.function.AttentionPlans;
import dev.duoka.formats.heartbeat.HeartbeatWriter;
import dev.duoka.formats.heartbeat.Phase;
import dev.duoka.machine.probe.LiveProbe;
import dev.duoka.machine.topology.TopologyJson;
import dev.duoka.parallel.dryrun.PlannedExchanges;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Determinism;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DryRunDevice;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.OutOfMemoryException;
import dev.duoka.tensor.ThreadLedger;
import dev.duoka.train.config.LeftOutBatches;
import dev.duoka.train.config.PreferenceSettings;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.device.DevicePeak;
import dev.duoka.train.device.Transport;
import dev.duoka.train.evaluate.Evaluations;
import dev.duoka.train.memory.MemoryUse;
import dev.duoka.train.memory.RankMemory;
import dev.duoka.train.placement.MachineView;
import dev.duoka.train.placement.MeshPlacement;
import dev.duoka.train.placement.PlacementJson;
import dev.duoka.train.preference.ReferenceCache;
import dev.duoka.train.preference.ReferenceFile;
import dev.duoka.train.preference.ReferenceModel;
import dev.duoka.train.preference.References;
import dev.duoka.train.snapshot.SnapshotRecorder;
import dev.duoka.train.step.RankBuilder;
import dev.duoka.train.step.RankState;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import tools.jackson.databind.node.ObjectNode;

/**
 * What each rank does in a session: it allocates its state, fills it, and trains. The first rank
 * also begins the run's folder and reports.
 */
final class RankSession {
  /** In the first step products are met, in the second they are computed as in all others. */
  private static final int STEPS_UNTIL_CHOSEN = 2;

  private final RunSetup setup;
  private final RankRange here;
  private final RunFolder folder;
  private final RunCheckpoints checkpoints;
  private final RunProgress from;
  private final RunListener listener;
  private final BooleanSupplier stop;
  private final RankBuilder builder;
  private final SnapshotRecorder snapshot;
  private final Evaluations evaluations;

  /**
   * The ranks' part of a session.
   *
   * @param here the ranks of this process
   * @param from where the run is
   * @param stop whether the user wants the run to end early
   */
  RankSession(
      RunSetup setup,
      RankRange here,
      RunFolder folder,
      RunCheckpoints checkpoints,
      RunProgress from,
      RunListener listener,
      BooleanSupplier stop) {
    this.setup = setup;
    this.here = here;
    this.folder = folder;
    this.checkpoints = checkpoints;
    this.from = from;
    this.listener = listener;
    this.stop = stop;
    this.evaluations = RunData.evaluations(setup.config(), setup.data());
    this.snapshot = new SnapshotRecorder(folder.path(), listener::notice);
    this.builder =
        new RankBuilder(
            setup.config(),
            setup.model(),
            setup.data().validation(),
            setup.data().validationBySource());
  }

  /**
   * How a rank's training ended.
   *
   * @param mfu at the median speed
   * @param startNanos when its first step began, by {@link System#nanoTime}
   */
  record Trained(RankTrainer.Outcome outcome, double mfu, long startNanos) {}

  /**
   * Runs on the rank's thread; empty when all ranks stopped before the first step. Collective.
   *
   * @param hosts the ranks of the run
   * @param ledger of what this rank exchanges
   */
  Optional<Trained> run(Communicator hosts, ExchangeLedger ledger) {
    Device device = setup.placement().of(hosts.rank());
    ComputeThread.prepare(device, setup.threads(), hosts.size());
    AttentionPlans attention = plan(hosts, device);
    StepRemedies remedies = new StepRemedies(setup.config(), setup.model(), hosts.rank());
    try (ThreadLedger _ = RankMemory.open(device)) {
      return run(hosts, device, ledger, remedies, attention);
    } catch (OutOfMemoryException e) {
      throw remedies.ends(e, hosts.size());
    }
  }

  /**
   * Makes sure that several ranks plan the same exchanges, by a dry run of each. It also says what
   * attention is going to be asked for; one rank runs it for that alone. Collective.
   */
  private AttentionPlans plan(Communicator hosts, Device device) {
    boolean plansAhead =
        device.isCuda() && writesFirstWeights() && !setup.config().training().deterministic();
    return AttentionPlans.of(
        () -> {
          if (hosts.size() > 1 || plansAhead) {
            DryRunDevice.of(device, () -> PlannedExchanges.of(builder.plan(hosts.rank())))
                .requireSame(hosts);
          }
        });
  }

  /** A checkpoint has all weights but those of an adapter's base. */
  private boolean writesFirstWeights() {
    return setup.model().adapter() != null || !folder.isResumed();
  }

  private Optional<Trained> run(
      Communicator hosts,
      Device device,
      ExchangeLedger ledger,
      StepRemedies remedies,
      AttentionPlans attention) {
    Transport transport =
        Transport.of(
            setup.config().parallel().collectives(), setup.placement().devices(), hosts.size());
    return transport.with(
        hosts,
        device,
        setup.config().launch().limit(),
        ledger,
        ranks -> run(ranks, device, remedies, attention));
  }

  private Optional<Trained> run(
      Communicator ranks, Device device, StepRemedies remedies, AttentionPlans attention) {
    Determinism.require(setup.config().training().deterministic());
    StopAgreement agreement = new StopAgreement(ranks, stop);
    if (agreement.reached()) {
      return Optional.empty();
    }
    remedies.leaveSteps(
        MemoryUse.STATES, "allocates its weights, gradients and the optimizer's states");
    try (RankState state = builder.allocate(ranks, device)) {
      // Nothing is written into the folder of a run that is new and may yet be refused.
      Optional<HeartbeatWriter> early =
          folder.isResumed() ? Optional.of(heartbeat(ranks)) : Optional.empty();
      early.ifPresent(
          it -> it.enter(Phase.LOADING, from.steps(), MemoryLedger.of(device).liveBytes()));
      remedies.leaveSteps(
          MemoryUse.STATES, folder.isResumed() ? "loads the checkpoint" : "fills its weights");
      fill(state, attention);
      remedies.leaveSteps(MemoryUse.EVALUATION, "asks the reference about the pairs");
      // Every rank has its state: the run can go on. The barrier also lets the ranks of a CPU
      // measure its rate together, as they train.
      if (agreement.reached() || !refer(state, agreement)) {
        return Optional.empty();
      }
      if (ranks.rank() > 0) {
        ranks.agreement().barrier();
        folder.follow();
        return Optional.of(train(state, remedies, early, Optional.empty()));
      }
      try (MetricsFile metrics = begin()) {
        ranks.agreement().barrier(); // nobody writes to a folder that is not the run's
        return Optional.of(train(state, remedies, early, Optional.of(metrics)));
      }
    }
  }

  /** Says what the reference makes of pairs, or takes it from the run; false when stopped. */
  private boolean refer(RankState state, StopAgreement agreement) {
    Map<String, PairSequences> pairs = setup.data().pairs();
    if (pairs.isEmpty()) {
      return true;
    }
    boolean ofBase = reference() == PreferenceSettings.Reference.BASE;
    if (folder.isResumed() && !(ofBase && !ReferenceFile.isIn(folder.path()))) {
      ReferenceFile.read(folder.path(), pairs, olderName());
      return true;
    }
    Mesh mesh = Mesh.of(setup.config().layout());
    boolean first = state.world().rank() == 0;
    Optional<ReferenceCache> cache =
        first
            ? Optional.of(
                ReferenceCache.of(
                    setup.config().data().cacheFolder(System::getenv),
                    pairs,
                    ReferenceModel.name(
                        setup.config(), setup.model(), devices(state.device()), listener),
                    listener::notice))
            : Optional.empty();
    return new References(state, mesh, setup.config().layout().microBatch(), ofBase)
        .compute(pairs, cache, first ? listener : Progress.NONE, agreement::reached);
  }

  private String devices(Device own) {
    return own.isCuda() ? "cuda " + setup.placement().names() : "cpu";
  }

  private PreferenceSettings.Reference reference() {
    return setup.config().preference().orElseThrow().reference();
  }

  /** What older versions knew the file of references by. */
  private String olderName() {
    Map<String, String> identity = new TreeMap<>(setup.data().identity());
    identity.remove(TrainingData.FILE_NAMES);
    return identity
        + " length "
        + setup.config().data().sequenceLength()
        + " held out "
        + setup.config().data().heldOut()
        + " seed "
        + RunData.seed(setup.config());
  }

  private void fill(RankState state, AttentionPlans attention) {
    boolean first = state.world().rank() == 0;
    if (first) {
      listener.reached(folder.isResumed() ? "loading the checkpoint" : "first weights", 0, 0);
    }
    if (first) {
      TrainedNotices.of(setup.model(), state.model().predictionDepth()).forEach(listener::notice);
    }
    if (writesFirstWeights()) {
      builder.firstWeights(state, listener::notice, listener, () -> attention.make(state.device()));
    }
    checkpoints.restore(state);
    if (first) {
      listener.reached("preparing the run", 0, 0);
    }
  }

  /** From here on the folder is written to. */
  private MetricsFile begin() {
    folder.begin(setup.config());
    checkpoints.begin();
    boolean referred = folder.isResumed() && ReferenceFile.isIn(folder.path());
    if (!setup.data().pairs().isEmpty() && !referred) {
      ReferenceFile.write(folder.path(), setup.data().pairs());
    }
    MetricsFile metrics = MetricsFile.open(folder.path(), from.steps(), listener::notice);
    setup
        .prediction()
        .map(prediction -> folder.predict(prediction, from.steps()))
        .ifPresent(listener::notice);
    snapshot.start(
        new SnapshotRecorder.RunFacts(
            RunFile.write(setup.config()),
            setup.data().identity(),
            setup.config().training().seed(),
            RunData.seed(setup.config()),
            place()),
        from.steps());
    sources();
    if (folder.isResumed()) {
      listener.notice("resuming after step " + from.steps());
    }
    checkpoints.notice().ifPresent(listener::notice);
    if (setup.data().validation() != null) {
      evaluations.notices().forEach(listener::notice);
    }
    return metrics;
  }

  private Optional<ObjectNode> place() {
    try {
      ObjectNode placement = PlacementJson.of(MeshPlacement.of(setup.config(), MachineView.live()));
      if (!placement.has(PlacementJson.TOPOLOGY)) {
        placement.set(PlacementJson.TOPOLOGY, TopologyJson.of(LiveProbe.topologyWithoutDriver()));
      }
      if (setup.config().parallel().ranks() > 1) {
        ExchangeWays.of(setup).into(placement);
      }
      folder.place(placement);
      return Optional.of(placement);
    } catch (IOException | DuokaException e) {
      listener.notice("the ranks' places are not written: " + e.getMessage());
      return Optional.empty();
    }
  }

  /** What the run trains on, to its user and into its folder. */
  private void sources() {
    double sequences = setup.sequences();
    setup.data().report().lines(sequences).forEach(listener::notice);
    try {
      folder.sources(setup.data().report().json(sequences));
    } catch (IOException e) {
      listener.notice("the table of sources is not written: " + e.getMessage());
    }
  }

  private HeartbeatWriter heartbeat(Communicator world) {
    return new HeartbeatWriter(
        folder.heartbeat(world.rank()), world.rank(), world.size(), setup.totalSteps());
  }

  private Trained train(
      RankState state,
      StepRemedies remedies,
      Optional<HeartbeatWriter> early,
      Optional<MetricsFile> metrics) {
    remedies.leaveSteps(MemoryUse.STATES, "measures the device");
    DevicePeak peak = setup.peak(state.device(), state.world());
    // What the first weights and the measuring of a CPU's rate have needed is no step's.
    MemoryLedger.of(state.device()).resetPeak();
    LoopSettings loop = setup.loop(peak);
    Communicator world = state.world();
    HeartbeatWriter heartbeat = early.orElseGet(() -> heartbeat(world));
    RankEvents events =
        new RankEvents(
            listener,
            checkpoints,
            stop,
            setup.totalSteps(),
            heartbeat,
            metrics,
            answers(world),
            setup.turns(),
            () -> snapshot.products(),
            from.steps() + STEPS_UNTIL_CHOSEN);
    try (BatchStream batches = batches(state.world())) {
      if (state.world().rank() == 0) {
        listener.started(RunDescription.of(setup, peak, from.steps(), folder.path()));
        listener.reached("first step: kernels are compiled and chosen", 0, 0);
      } else if (state.world().rank() == here.first()) {
        listener.follows(
            "ranks    "
                + here.text()
                + " of "
                + here.world()
                + ", numbered from 0; the process of rank 0 tells how the run goes");
      }
      remedies.enterSteps();
      long start = System.nanoTime();
      RankTrainer.Outcome outcome =
          new RankTrainer(state, batches, loop, remedies, events, evaluations).run(from);
      remedies.leaveSteps(MemoryUse.STATES, "saves the last checkpoint");
      heartbeat.enter(
          Phase.ENDING, outcome.progress().steps(), MemoryLedger.of(state.device()).liveBytes());
      if (state.world().rank() == 0) {
        snapshot.products();
        listener.reached("saving", 0, 0);
      }
      checkpoints.settle(state.world());
      double mfu = loop.mfu(outcome.tokensPerSecond(), state.world().size());
      return new Trained(outcome, mfu, start);
    }
  }

  /** The first rank writes it, the others never do. */
  private AnswersFile answers(Communicator world) {
    return world.rank() == 0
        ? AnswersFile.open(folder.path(), from.steps(), listener::notice)
        : new AnswersFile(folder.path().resolve(AnswersFile.NAME), listener::notice);
  }

  private BatchStream batches(Communicator ranks) {
    return BatchStream.open(
        new TrainingOrder(setup.data().training(), RunData.seed(setup.config())),
        builder.share(ranks),
        from.data(),
        from.steps(),
        LeftOutBatches.of(setup.config())::after);
  }
}
