package dev.duoka.operations.supervise;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.machine.probe.CardHealth;
import dev.duoka.operations.cards.CardGuard;
import dev.duoka.operations.cards.HealthWatch;
import dev.duoka.operations.control.ControlServer;
import dev.duoka.operations.control.StopOrder;
import dev.duoka.operations.notify.Notifier;
import dev.duoka.operations.process.ProcessIdentity;
import dev.duoka.operations.run.ExitStatus;
import dev.duoka.operations.run.LaunchSpec;
import dev.duoka.operations.run.RunEnd;
import dev.duoka.operations.run.RunProgress;
import dev.duoka.operations.run.RunRecord;
import dev.duoka.operations.run.RunStatus;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.run.SupervisionFolder;
import dev.duoka.operations.run.WorkerFolder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Brings a run to its end: starts its workers or takes over those that are there, waits for them,
 * and starts them again as {@link RestartPolicy} says. It reads what they write and never holds
 * them up; they live on without it. One thread.
 */
public final class Supervisor {
  private static final long TICK_MILLISECONDS = 200;
  private static final long NANOS = 1_000_000_000L;

  /** How long workers may take to end by themselves after one of them has failed. */
  private static final long OTHERS_SECONDS = 20;

  /** How long a killed process may take to be gone; one that waits for a device may never be. */
  private static final long KILLED_SECONDS = 50;

  private static final long CARDS_MILLISECONDS = 1000;

  /** How long the driver may take to say that a card is gone. */
  private static final long CARDS_WORD_SECONDS = 3;

  private final SupervisionFolder folder;
  private final Remedies remedies;
  private final HealthWatch health;
  private final RunRecord record;
  private final StopState stop;
  private final WorkerStart start;
  private final RestartPolicy policy;
  private final Notifier notifier;

  /** Cards that were lost since the last start, by their names in the launch. */
  private final Set<String> lost = new TreeSet<>();

  /** The launch as it is now: on the cards that are left. */
  private LaunchSpec launch;

  private Supervisor(SupervisionFolder folder, StopState stop, CardHealth.Probe cards) {
    this.folder = folder;
    this.stop = stop;
    LaunchSpec asked = LaunchSpec.read(folder);
    this.record = new RunRecord(folder);
    this.remedies = new Remedies(folder, asked, record);
    this.launch = remedies.launch();
    this.health = new HealthWatch(asked.cards(), cards);
    this.start = new WorkerStart(folder);
    int used = (int) record.entries().stream().filter(it -> it.event().equals("restart")).count();
    this.notifier =
        new Notifier(
            launch.notified(),
            folder.run(),
            System.getenv(),
            problem -> record.add(folder.attempts(), "not-notified", problem));
    this.policy =
        new RestartPolicy(launch.maxRestarts(), used, RunProgress.newestCheckpoint(folder.run()));
  }

  /**
   * Supervises a run until it is over; returns at once when another process does.
   *
   * @param stop what the run's user orders meanwhile
   * @return how it ended; empty when another process supervises it
   * @throws DuokaException when the run's folder cannot be read or written
   */
  static Optional<RunEnd> run(SupervisionFolder folder, StateFolder state, StopState stop)
      throws InterruptedException {
    return run(folder, state, stop, CardHealth.ofThisMachine());
  }

  /** As the other method; asks somebody else how the cards are. */
  static Optional<RunEnd> run(
      SupervisionFolder folder, StateFolder state, StopState stop, CardHealth.Probe cards)
      throws InterruptedException {
    try (SupervisorLock lock = SupervisorLock.take(folder).orElse(null)) {
      if (lock == null) {
        return Optional.empty();
      }
      RunStatus.noteSupervisor(folder, ProcessIdentity.own());
      try (ControlServer _ = ControlServer.open(state, folder, stop)) {
        Supervisor supervisor = new Supervisor(folder, stop, cards);
        RunEnd end = supervisor.run();
        supervisor.health.close();
        end.write(folder);
        supervisor.notifier.send(
            end.stopped() || end.status() == ExitStatus.DONE ? "end" : "failure", end.reason());
        supervisor.notifier.await();
        return Optional.of(end);
      }
    }
  }

  private RunEnd run() throws InterruptedException {
    Optional<Attempt> adopted = Attempt.adopt(folder).filter(it -> !it.alive().isEmpty());
    adopted.ifPresent(
        it -> record.add(it.number(), "adopted", "a new supervisor watches the run's workers"));
    Attempt attempt = adopted.orElse(null);
    while (true) {
      if (attempt == null) {
        Optional<StopOrder> order = stop.order();
        if (order.isPresent()) {
          return stopped(order.get(), false);
        }
        Optional<RunEnd> inUse = awaitCards();
        if (inUse.isPresent()) {
          return inUse.get();
        }
        boolean again = record.entries().stream().anyMatch(it -> it.event().equals("started"));
        attempt = start.start(launch, folder.attempts() + 1, remedies.overrides(), again);
        record.add(attempt.number(), "started", WorkerStart.text(launch));
      }
      AttemptEnd end = await(attempt);
      Optional<StopOrder> order = stop.order();
      if (end.complete()) {
        Optional<String> stopped = RunProgress.stopped(folder.run());
        stopped.ifPresent(how -> record.add(folder.attempts(), "ended", how));
        return new RunEnd(ExitStatus.DONE, stopped.isPresent(), stopped.orElse("complete"));
      }
      if (order.isPresent()) {
        return stopped(order.get(), end.saved());
      }
      awaitWordOfCards(attempt);
      if (!lost.isEmpty()) {
        Optional<RunEnd> over = afterLostCards(attempt, end);
        if (over.isPresent()) {
          return over.get();
        }
        attempt = null;
        continue;
      }
      if (remedies.help(attempt.number(), end)) {
        attempt = null;
        continue;
      }
      OptionalLong checkpoint = RunProgress.newestCheckpoint(folder.run());
      switch (policy.decide(end, checkpoint)) {
        case RestartPolicy.Decision.Over over -> {
          record.add(attempt.number(), "failed", over.end().reason());
          return over.end();
        }
        case RestartPolicy.Decision.Again again ->
            record.add(attempt.number(), "restart", again.reason());
      }
      attempt = null;
    }
  }

  /**
   * Waits until nobody uses the run's cards: as long as it takes where that is wanted, else as long
   * as the driver may need to take back what the run itself had.
   *
   * @return the end of a run that has no cards
   */
  private Optional<RunEnd> awaitCards() throws InterruptedException {
    CardGuard guard = new CardGuard(launch.cards());
    long seconds = folder.attempts() == 0 ? 0 : KILLED_SECONDS;
    long until = System.nanoTime() + seconds * NANOS;
    String said = "";
    while (true) {
      String users = String.join("; ", guard.users());
      Optional<StopOrder> order = stop.order();
      if (order.isPresent()) {
        return Optional.of(stopped(order.get(), false));
      }
      if (users.isEmpty()) {
        return Optional.empty();
      }
      if (!launch.waitsForCards() && System.nanoTime() - until > 0) {
        return Optional.of(
            new RunEnd(
                ExitStatus.FAILED,
                false,
                "the run's cards are in use: "
                    + users
                    + ". End these, or wait for them with --wait-for-gpus"));
      }
      if (!users.equals(said)) {
        said = users;
        record.add(folder.attempts(), "waits", "waits for its cards: " + users);
      }
      Thread.sleep(CARDS_MILLISECONDS);
    }
  }

  /**
   * Without a card a run goes on with the others if its user allows that; else it ends, worth
   * starting again on another machine.
   *
   * @return its end; empty when it goes on
   */
  private Optional<RunEnd> afterLostCards(Attempt attempt, AttemptEnd end) {
    boolean helped = remedies.helpLost(attempt.number(), Set.copyOf(lost), end.text());
    lost.clear();
    if (helped) {
      launch = remedies.launch();
      return Optional.empty();
    }
    boolean resumable = RunProgress.newestCheckpoint(folder.run()).isPresent();
    String text =
        end.text()
            + (launch.remedies().fewerCards().isEmpty()
                ? ". remedies.lost_card lets a run go on with the others"
                : ". Too few cards are left");
    record.add(attempt.number(), "failed", text);
    return Optional.of(new RunEnd(resumable ? ExitStatus.SAVED : ExitStatus.FAILED, false, text));
  }

  /** What a worker has failed of may be a card, of which the driver says so a little later. */
  private void awaitWordOfCards(Attempt attempt) throws InterruptedException {
    long until = System.nanoTime() + CARDS_WORD_SECONDS * NANOS;
    while (!launch.cards().isEmpty() && lost.isEmpty() && System.nanoTime() - until < 0) {
      lookAtCards(attempt);
      Thread.sleep(TICK_MILLISECONDS);
    }
  }

  /** What is new of the cards goes into the record; why the attempt cannot go on, if so. */
  private Optional<String> lookAtCards(Attempt attempt) {
    List<String> texts = new ArrayList<>();
    for (HealthWatch.Finding finding : health.look()) {
      record.add(attempt.number(), "card", finding.text());
      notifier.send("card", finding.text());
      boolean ours = finding.card().filter(launch.cards()::contains).isPresent();
      if (finding.isLost() && ours) {
        lost.add(finding.card().orElseThrow());
        texts.add(finding.text());
      }
    }
    return texts.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", texts));
  }

  /** Waits until all workers have ended; of those that cannot go on the last ones are ended. */
  private AttemptEnd await(Attempt attempt) throws InterruptedException {
    Set<ProcessIdentity> told = new HashSet<>();
    OptionalLong deadline = OptionalLong.empty();
    boolean heard = false;
    HangHandler hangs = new HangHandler(folder, launch, record, attempt, notifier);
    OutputWatch output = new OutputWatch(record, attempt);
    DivergenceWatch divergence =
        new DivergenceWatch(
            folder.run(),
            attempt.number() == 1
                ? Long.MAX_VALUE
                : RunProgress.newestCheckpoint(folder.run()).orElse(0));
    while (!attempt.hasEnded()) {
      Thread.sleep(TICK_MILLISECONDS);
      output.look();
      attempt.changes().forEach(it -> remedies.changed(attempt.number(), it));
      Optional<String> ofCards = lookAtCards(attempt);
      if (ofCards.isPresent()) {
        end(attempt);
        return AttemptEnd.failed(Optional.empty(), ofCards.get());
      }
      Optional<String> hang = hangs.look();
      if (hang.isPresent()) {
        end(attempt);
        return AttemptEnd.failed(Optional.empty(), hang.get());
      }
      Optional<Divergence> diverged =
          launch.remedies().watchesDivergence() ? divergence.look() : Optional.empty();
      if (diverged.isPresent()) {
        return diverged(attempt, diverged.get());
      }
      Optional<StopOrder> order = stop.order();
      if (order.isPresent() && !heard) {
        heard = true;
        deadline = hear(attempt, order.get());
      }
      if (heard && !stop.isAtOnce()) {
        attempt.alive().stream().filter(told::add).forEach(ProcessIdentity::terminate);
      }
      if (deadline.isEmpty() && attempt.hasFailed()) {
        deadline = after(OTHERS_SECONDS);
      }
      boolean late = deadline.isPresent() && System.nanoTime() - deadline.getAsLong() > 0;
      if (late || stop.isAtOnce()) {
        end(attempt);
        break;
      }
    }
    attempt.changes().forEach(it -> remedies.changed(attempt.number(), it));
    return attempt.end();
  }

  /** A checkpoint of what has diverged is worth nothing: the run ends without one. */
  private AttemptEnd diverged(Attempt attempt, Divergence divergence) throws InterruptedException {
    String text =
        divergence.text()
            + ". Go on from a checkpoint before that with a lower optimizer.learning_rate, or other"
            + " data; metrics.jsonl shows how it began";
    record.add(attempt.number(), "divergence", text);
    notifier.send("divergence", text);
    end(attempt);
    return new AttemptEnd(
        false,
        false,
        Optional.of(new WorkerFolder.Failure(ErrorCode.NUMERICS, text)),
        text,
        Optional.of(divergence));
  }

  private static OptionalLong after(long seconds) {
    return OptionalLong.of(System.nanoTime() + seconds * NANOS);
  }

  /** When the run must have saved and ended; empty where it may take as long as it takes. */
  private OptionalLong hear(Attempt attempt, StopOrder order) {
    record.add(attempt.number(), "stop", word(order) + ": the run saves and ends");
    if (order != StopOrder.TERMINATE || launch.graceSeconds().isEmpty()) {
      return OptionalLong.empty();
    }
    int grace = launch.graceSeconds().getAsInt();
    double predicted = predictedSaveSeconds();
    if (predicted > grace) {
      record.add(
          attempt.number(),
          "not-saved",
          String.format(
              Locale.ROOT,
              "a step and a save take %.1f s, which does not fit into the %d s that there are: the"
                  + " newest checkpoint stays as it is",
              predicted,
              grace));
      stop.endAtOnce();
    }
    return after(grace);
  }

  private double predictedSaveSeconds() {
    double step = RunProgress.of(folder.run()).stepSeconds();
    return (Double.isFinite(step) ? step : 0) + RunProgress.longestSave(folder.run());
  }

  /** Ends what is left, and waits until it is gone. */
  private void end(Attempt attempt) throws InterruptedException {
    attempt.kill();
    long until = System.nanoTime() + KILLED_SECONDS * NANOS;
    while (!attempt.hasEnded() && System.nanoTime() - until < 0) {
      Thread.sleep(TICK_MILLISECONDS);
      attempt.kill(); // one that had not begun yet, too
    }
    if (!attempt.alive().isEmpty()) {
      record.add(
          attempt.number(),
          "stuck",
          "cannot be killed: "
              + attempt.alive().stream()
                  .map(process -> "process " + process.pid())
                  .collect(Collectors.joining(", "))
              + "; what that holds of the machine is lost until it is");
      attempt.workersAlive().forEach(worker -> lost.addAll(cardsOf(worker)));
    }
  }

  /** The cards of a worker: an equal share in order. */
  private List<String> cardsOf(int worker) {
    int share = launch.cards().size() / launch.workers();
    return launch.cards().subList(worker * share, (worker + 1) * share);
  }

  private RunEnd stopped(StopOrder order, boolean saved) {
    boolean resumable = RunProgress.newestCheckpoint(folder.run()).isPresent();
    String newest =
        saved
            ? "saved"
            : resumable ? "ended without saving; the newest checkpoint is whole" : "not saved";
    return switch (order) {
      case INTERRUPT -> new RunEnd(ExitStatus.INTERRUPTED, true, "Ctrl-C: " + newest);
      case TERMINATE ->
          new RunEnd(resumable ? ExitStatus.SAVED : ExitStatus.FAILED, true, "SIGTERM: " + newest);
      case STOP -> new RunEnd(ExitStatus.DO_NOT_REQUEUE, true, "duoka stop: " + newest);
    };
  }

  private static String word(StopOrder order) {
    return switch (order) {
      case INTERRUPT -> "Ctrl-C";
      case TERMINATE -> "SIGTERM";
      case STOP -> "duoka stop";
    };
  }
}
