package dev.duoka.parallel.step;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.SingleRank;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.engine.autograd.DeferredWeights;
import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.engine.autograd.SavedTensorHook;
import dev.duoka.engine.autograd.Substitution;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.layout.Recompute;
import dev.duoka.model.LanguageModel;
import dev.duoka.parallel.schedule.Action;
import dev.duoka.parallel.schedule.Action.Kind;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs what a schedule says of one stage, on whichever device the stage's model is. The order of
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
   * @param gradientReady told of each parameter when this step adds nothing more to its gradient
   * @param reduce sums the gradients over the ranks
   */
  public record StepWork(
      MicroBatchLosses losses, Consumer<Parameter> gradientReady, Runnable reduce) {}

  private final LanguageModel model;
  private final Recompute recompute;
  private final Communicator pipeline;
  private final Map<Integer, MicroBatchRun> running = new HashMap<>();
  private Substitution substitution = Substitution.NONE;
  private DeferredWeights deferred = DeferredWeights.KEPT;
  private @Nullable SavedTensorHook savedTensorHook;
  private @Nullable FunctionObserver observer;
  private double forwardSeconds;
  private double backwardSeconds;

  /** An executor of the only stage there is. */
  public ScheduleExecutor(LanguageModel model, Recompute recompute) {
    this(model, recompute, new SingleRank("pipeline"));
  }

  /**
   * An executor of a stage.
   *
   * @param model the blocks of the stage
   * @param pipeline the ranks of the pipeline, stage by stage
   */
  public ScheduleExecutor(LanguageModel model, Recompute recompute, Communicator pipeline) {
    this.model = model;
    this.recompute = recompute;
    this.pipeline = pipeline;
  }

  /** Lets sharded counterparts take the place of functions. */
  public void substituteWith(Substitution substitution) {
    this.substitution = substitution;
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

  /** Runs a rank's actions. After a failure everything in flight is freed. */
  public void run(List<Action> actions, List<MicroBatch> microBatches, StepWork work) {
    forwardSeconds = 0;
    backwardSeconds = 0;
    OptionalInt last = lastGradients(actions);
    try {
      for (int i = 0; i < actions.size(); i++) {
        Action action = actions.get(i);
        long start = System.nanoTime();
        Consumer<Parameter> ready =
            last.isPresent() && last.getAsInt() == i ? work.gradientReady() : _ -> {};
        run(action, microBatches, work, ready);
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
      running.values().forEach(MicroBatchRun::joinSends);
    } catch (Throwable t) { // of whatever kind: what was sent goes below, so nobody may read it
      pipeline.abort("a rank failed in its pipeline schedule: " + t);
      throw t;
    } finally {
      running.values().forEach(MicroBatchRun::close);
      running.clear();
    }
  }

  private void run(
      Action action, List<MicroBatch> microBatches, StepWork work, Consumer<Parameter> ready) {
    int number = action.microBatch();
    switch (action.kind()) {
      case FORWARD -> {
        MicroBatchRun run = run(number, microBatches);
        run.tape().substituteWith(substitution);
        run.tape().observeWith(observer);
        if (savedTensorHook != null) {
          run.tape().keepSavedTensorsWith(savedTensorHook);
        }
        run.forward(work.losses());
      }
      case BACKWARD -> {
        MicroBatchRun run = running(number, action);
        run.tape().onGradientReady(ready);
        run.backward();
      }
      case INPUT_GRADIENTS -> running(number, action).backwardInputs(deferred);
      case WEIGHT_GRADIENTS -> {
        MicroBatchRun run = running(number, action);
        run.tape().onGradientReady(ready);
        run.backwardWeights();
      }
      case SEND_FORWARD -> {
        MicroBatchRun run = running(number, action);
        run.outputSent(pipeline.send(run.output(), pipeline.rank() + 1));
      }
      case RECEIVE_FORWARD -> {
        MicroBatchRun run = run(number, microBatches);
        run.inputComes(pipeline.receive(run.newInput(), pipeline.rank() - 1));
      }
      case SEND_BACKWARD -> {
        MicroBatchRun run = running(number, action);
        run.inputGradientSent(pipeline.send(run.inputGradient(), pipeline.rank() - 1));
      }
      case RECEIVE_BACKWARD -> {
        MicroBatchRun run = running(number, action);
        run.outputGradientComes(pipeline.receive(run.newOutputGradient(), pipeline.rank() + 1));
      }
      case REDUCE_GRADIENTS -> work.reduce().run();
    }
  }

  /** Where the last gradients are added: from then on they can be reduced as they come. */
  private static OptionalInt lastGradients(List<Action> actions) {
    for (int i = actions.size() - 1; i >= 0; i--) {
      Kind kind = actions.get(i).kind();
      if (kind == Kind.BACKWARD || kind == Kind.WEIGHT_GRADIENTS) {
        return OptionalInt.of(i);
      }
    }
    return OptionalInt.empty();
  }

  private MicroBatchRun run(int number, List<MicroBatch> microBatches) {
    return running.computeIfAbsent(
        number, _ -> new MicroBatchRun(model, recompute, microBatches.get(number)));
  }

  private MicroBatchRun running(int number, Action action) {
    MicroBatchRun run = running.get(number);
    if (run == null) {
      throw new IllegalStateException(
          "the schedule asks for " + action + " of a micro-batch that is not in flight");
    }
    return run;
  }

  /** Whichever micro-batch has its gradients, and whose messages have been taken. */
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
