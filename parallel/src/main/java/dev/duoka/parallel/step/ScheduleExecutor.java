package dev.duoka.parallel.step;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Purpose;
import dev.duoka.comm.SingleRank;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.engine.autograd.DeferredWeights;
import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.engine.autograd.SavedTensorHook;
import dev.duoka.engine.autograd.Substitution;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.function.ExpertPlacement;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.layout.Recompute;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.weight.BlockRange;
import dev.duoka.parallel.function.ContextChunks;
import dev.duoka.parallel.mesh.MeshGroups;
import dev.duoka.parallel.plan.RankPlan;
import dev.duoka.parallel.schedule.Action;
import dev.duoka.parallel.schedule.Action.Kind;
import dev.duoka.parallel.schedule.Receipts;
import dev.duoka.parallel.schedule.Schedule;
import dev.duoka.tensor.Tensor;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs what a schedule says of one rank, on whichever device its part of the model is. The order of
 * the actions is the caller's promise; an action whose input is not there fails loudly.
 *
 * <p>One thread; one step at a time. On CUDA it launches and waits for no device; what uses a
 * message waits until the other rank's host has sent it.
 */
public final class ScheduleExecutor {
  /**
   * What the passes of a step have in common.
   *
   * @param losses how micro-batches are seen and weighted
   * @param gradients told of each parameter when a pass adds nothing more to its gradient
   * @param reduce sums the gradients of some blocks over the ranks
   */
  public record StepWork(
      MicroBatchLosses losses, GradientSink gradients, Consumer<BlockRange> reduce) {}

  /** Is told of gradients as they become complete. */
  @FunctionalInterface
  public interface GradientSink {
    /**
     * A pass adds nothing more to a parameter's gradient.
     *
     * @param last whether no other pass of this step will, either
     */
    void ready(Parameter parameter, boolean last);
  }

  private final StagePass stage;
  private final Communicator pipeline;
  private final Map<Key, MicroBatchRun> running = new HashMap<>();
  private final Map<Action, SentMessage> sent = new LinkedHashMap<>();
  private Recompute recompute;
  private List<Integer> rankOfStage = List.of();
  private DeferredWeights deferred = DeferredWeights.KEPT;
  private @Nullable SavedTensorHook savedTensorHook;
  private @Nullable FunctionObserver observer;
  private double forwardSeconds;
  private double backwardSeconds;

  /** A micro-batch on a stage. */
  private record Key(int stage, int microBatch) {}

  /** An executor of a whole model on one rank. */
  public ScheduleExecutor(LanguageModel model, Recompute recompute) {
    this(
        new StagePass(
            model,
            new LocalTokens(model, new ContextChunks(1, 0)),
            RankPlan.alone(),
            MeshGroups.ofData(new SingleRank()),
            Substitution.NONE,
            ExpertPlacement.HERE),
        recompute);
  }

  /** An executor of a rank's stages. */
  ScheduleExecutor(StagePass stage, Recompute recompute) {
    this.stage = stage;
    this.recompute = recompute;
    this.pipeline = stage.groups().pipeline();
  }

  /** Which activations are computed again from the next call of {@link #run} on. */
  public void recompute(Recompute other) {
    this.recompute = other;
  }

  /** How far weight gradients that a schedule splits off are put off. */
  public void defer(DeferredWeights deferred) {
    this.deferred = deferred;
  }

  /** Lets {@code hook} keep the saved tensors; null for where they are. */
  public void keepSavedTensorsWith(@Nullable SavedTensorHook hook) {
    this.savedTensorHook = hook;
  }

  /** Lets {@code observer} see the steps that follow; null for nobody. */
  public void observe(@Nullable FunctionObserver observer) {
    this.observer = observer;
  }

  /** Seconds of this thread in forward passes since the last call of {@link #run} began. */
  public double forwardSeconds() {
    return forwardSeconds;
  }

  /** Seconds of this thread in backward passes since the last call of {@link #run} began. */
  public double backwardSeconds() {
    return backwardSeconds;
  }

  /**
   * Runs what a schedule says of this rank. After a failure everything in flight is freed.
   *
   * @param schedule of the whole pipeline
   */
  public void run(Schedule schedule, List<MicroBatch> microBatches, StepWork work) {
    forwardSeconds = 0;
    backwardSeconds = 0;
    rankOfStage = schedule.rankOfStages();
    boolean recording = schedule.hasBackward();
    List<Action> actions = schedule.ranks().get(pipeline.rank());
    Receipts receipts = Receipts.of(schedule);
    Map<Integer, Integer> last = lastGradients(actions);
    try {
      for (int i = 0; i < actions.size(); i++) {
        Action action = actions.get(i);
        long start = System.nanoTime();
        boolean isLast = last.getOrDefault(action.stage(), -1) == i;
        try (Purpose _ = Purpose.of(purpose(new Key(action.stage(), action.microBatch())))) {
          run(
              action,
              recording,
              microBatches,
              work,
              parameter -> work.gradients().ready(parameter, isLast));
        }
        receipts.after(pipeline.rank(), i).forEach(this::letGo);
        closeThoseThatAreDone();
        double seconds = (System.nanoTime() - start) * 1e-9;
        switch (action.kind()) {
          case FORWARD -> forwardSeconds += seconds;
          case BACKWARD, INPUT_GRADIENTS, WEIGHT_GRADIENTS -> backwardSeconds += seconds;
          case SEND_FORWARD,
              RECEIVE_FORWARD,
              SEND_BACKWARD,
              RECEIVE_BACKWARD,
              REDUCE_GRADIENTS -> {}
        }
      }
      List.copyOf(sent.keySet()).forEach(this::letGo);
    } catch (Throwable t) { // of whatever kind: what was sent goes below, so nobody may read it
      pipeline.abort("a rank failed in its pipeline schedule: " + t);
      throw t;
    } finally {
      running.values().forEach(MicroBatchRun::close);
      running.clear();
      sent.values().forEach(SentMessage::close);
      sent.clear();
    }
  }

  /**
   * Runs forward passes alone, without recording for gradients.
   *
   * @param schedule with no backward pass in it
   */
  public void evaluate(Schedule schedule, List<MicroBatch> microBatches, MicroBatchLosses losses) {
    run(schedule, microBatches, new StepWork(losses, (_, _) -> {}, _ -> {}));
  }

  private void run(
      Action action,
      boolean recording,
      List<MicroBatch> microBatches,
      StepWork work,
      Consumer<Parameter> ready) {
    Key key = new Key(action.stage(), action.microBatch());
    switch (action.kind()) {
      case FORWARD -> {
        MicroBatchRun run = run(key, recording, microBatches);
        if (!run.hasInput()) {
          run.takeInputFrom(running(new Key(key.stage() - 1, key.microBatch()), action));
        }
        run.forward(work.losses());
      }
      case BACKWARD -> {
        MicroBatchRun run = withGradient(key, action);
        run.tape().onGradientReady(ready);
        run.backward();
      }
      case INPUT_GRADIENTS -> withGradient(key, action).backwardInputs(deferred);
      case WEIGHT_GRADIENTS -> {
        MicroBatchRun run = running(key, action);
        run.tape().onGradientReady(ready);
        run.backwardWeights();
      }
      case SEND_FORWARD -> {
        MicroBatchRun run = running(key, action);
        send(action, run.output(), key.stage() + 1);
        run.outputSent();
      }
      case RECEIVE_FORWARD -> {
        MicroBatchRun run = run(key, recording, microBatches);
        run.inputComes(pipeline.receive(run.newInput(), rankOfStage.get(key.stage() - 1)));
      }
      case SEND_BACKWARD -> {
        MicroBatchRun run = running(key, action);
        send(action, run.inputGradient(), key.stage() - 1);
        run.inputGradientSent();
      }
      case RECEIVE_BACKWARD -> {
        MicroBatchRun run = running(key, action);
        run.outputGradientComes(
            pipeline.receive(run.newOutputGradient(), rankOfStage.get(key.stage() + 1)));
      }
      case REDUCE_GRADIENTS -> work.reduce().accept(stage.plan().blocks(key.stage()));
    }
  }

  private void send(Action action, Tensor content, int toStage) {
    sent.put(action, new SentMessage(pipeline, content, rankOfStage.get(toStage)));
  }

  /** Of what another rank has taken, or is waited for to take. */
  private void letGo(Action send) {
    SentMessage message = Objects.requireNonNull(sent.get(send));
    message.join(); // if that fails, it goes when all exchange has ended
    sent.remove(send);
    message.close();
  }

  private MicroBatchRun withGradient(Key key, Action action) {
    MicroBatchRun run = running(key, action);
    if (!run.hasOutputGradient()) {
      run.takeGradientFrom(running(new Key(key.stage() + 1, key.microBatch()), action));
    }
    return run;
  }

  /** Where each stage's last gradients are added: from then on they can be reduced as they come. */
  private static Map<Integer, Integer> lastGradients(List<Action> actions) {
    Map<Integer, Integer> last = new HashMap<>();
    for (int i = 0; i < actions.size(); i++) {
      Kind kind = actions.get(i).kind();
      if (kind == Kind.BACKWARD || kind == Kind.WEIGHT_GRADIENTS) {
        last.put(actions.get(i).stage(), i);
      }
    }
    return last;
  }

  private MicroBatchRun run(Key key, boolean recording, List<MicroBatch> microBatches) {
    return running.computeIfAbsent(
        key,
        _ -> {
          Tape tape = recording ? Tape.recording(recompute) : Tape.inference();
          tape.observeWith(observer);
          tape.onBlock(block -> Purpose.becomes(purpose(key, block)));
          if (savedTensorHook != null) {
            tape.keepSavedTensorsWith(savedTensorHook);
          }
          return new MicroBatchRun(
              stage, stage.plan().blocks(key.stage()), microBatches.get(key.microBatch()), tape);
        });
  }

  /** What is exchanged for a micro-batch, as messages about lost ranks name it. */
  private static String purpose(Key key) {
    return key.microBatch() < 0
        ? "stage " + key.stage()
        : "micro-batch " + key.microBatch() + " of stage " + key.stage();
  }

  private String purpose(Key key, int block) {
    if (block == FunctionObserver.NO_BLOCK) {
      return purpose(key);
    }
    int before = stage.plan().blocks(key.stage()).first() - BlockRange.ofLayer(0);
    return "layer " + (Math.max(0, before) + block) + ", micro-batch " + key.microBatch();
  }

  private MicroBatchRun running(Key key, Action action) {
    MicroBatchRun run = running.get(key);
    if (run == null) {
      throw new IllegalStateException(
          "the schedule asks for " + action + " of a micro-batch that is not in flight");
    }
    return run;
  }

  /** Whichever micro-batch has its gradients, and has given other stages what they need. */
  private void closeThoseThatAreDone() {
    running
        .values()
        .removeIf(
            run -> {
              boolean done = run.isDone();
              if (done) {
                run.close();
              }
              return done;
            });
  }
}
