package dev.duoka.parallel.step;

import dev.duoka.comm.Pending;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.engine.autograd.DeferredWeights;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.Documents;
import dev.duoka.engine.function.EmbeddingNoise;
import dev.duoka.engine.function.LoraDropout;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.Losses;
import dev.duoka.model.TokenBatch;
import dev.duoka.model.layer.Pass;
import dev.duoka.model.weight.BlockRange;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * One micro-batch on its way through a stage, from the forward pass to the last gradient: its tape,
 * and what comes in and goes out at the stage's borders. Owns all of it.
 */
final class MicroBatchRun implements AutoCloseable {
  private final StagePass stage;
  private final LanguageModel model;
  private final BlockRange blocks;
  private final MicroBatch microBatch;
  private final Tape tape;
  private final @Nullable TokenBatch tokens;
  private final List<Tensor> held = new ArrayList<>();
  private Variable[] losses = {};
  private @Nullable Tensor numbers;
  private @Nullable Tensor input;
  private @Nullable Variable inputLeaf;
  private @Nullable Variable output;
  private @Nullable Tensor outputGradient;
  private Pending inputArrival = Pending.DONE;
  private Pending outputGradientArrival = Pending.DONE;
  private boolean inputsDone;
  private boolean weightsAreDue;
  private boolean inputGradientIsGiven;
  private boolean outputIsGiven;

  /**
   * A micro-batch on a stage.
   *
   * @param blocks of the stage
   * @param tape records for a backward pass, or does not where none will follow
   */
  MicroBatchRun(StagePass stage, BlockRange blocks, MicroBatch microBatch, Tape tape) {
    this.stage = stage;
    this.model = stage.model();
    this.blocks = blocks;
    this.microBatch = microBatch;
    this.tape = tape;
    tape.substituteWith(stage.substitution());
    int depth = model.hasHead(blocks) && tape.isRecording() ? model.predictionDepth() : 0;
    tokens = blocks.embeds() || model.hasHead(blocks) ? stage.tokens().of(microBatch, depth) : null;
  }

  Tape tape() {
    return tape;
  }

  /** What leaves the forward pass lives on; everything else that nobody saved is freed. */
  void forward(MicroBatchLosses step) {
    inputArrival.join();
    try (Scope _ = Scope.open(MemoryOwner.ACTIVATIONS)) {
      Pass pass =
          Pass.overSequences(
                  tape,
                  microBatch.rows(),
                  stage.tokens().rotary(microBatch.length()),
                  step.balance(microBatch))
              .with(stage.experts())
              .with(documents())
              .with(dropout(step));
      if (microBatch.isEmpty()) {
        pass = pass.withoutWeight();
      }
      if (step.leavesOutAdapters()) {
        pass = pass.withoutAdapters();
      }
      Variable last = model.layers(pass, first(pass, step), blocks);
      if (model.hasHead(blocks)) {
        Losses all = model.losses(pass, last, Objects.requireNonNull(tokens), step.objective());
        step.add(all);
        losses = all.all();
        for (Variable loss : losses) {
          held.add(Scope.detach(loss.value()));
        }
      } else {
        held.add(Scope.detach(last.value()));
        output = last;
      }
    }
  }

  private @Nullable LoraDropout dropout(MicroBatchLosses step) {
    OptionalLong chance = step.chance();
    if (chance.isEmpty() || !tape.isRecording()) {
      return null;
    }
    return new LoraDropout(chance.getAsLong(), numbers());
  }

  /** The numbers of the tokens within the step. */
  private Tensor numbers() {
    Tensor made = numbers;
    if (made == null) {
      made = stage.tokens().numbers(microBatch);
      held.add(made);
      numbers = made;
    }
    return made;
  }

  private Variable withNoise(Variable embedded, MicroBatchLosses step) {
    Optional<MicroBatchLosses.Noise> noise = step.noise();
    if (noise.isEmpty() || !tape.isRecording()) {
      return embedded;
    }
    double magnitude =
        EmbeddingNoise.magnitude(
            noise.get().alpha(), microBatch.length(), model.config().hiddenSize());
    return tape.apply(new EmbeddingNoise(noise.get().update(), magnitude, numbers()), embedded);
  }

  private @Nullable Documents documents() {
    return microBatch
        .documentStarts()
        .map(starts -> new Documents(starts, microBatch.length()))
        .orElse(null);
  }

  private Variable first(Pass pass, MicroBatchLosses step) {
    if (blocks.embeds()) {
      return withNoise(model.embed(pass, Objects.requireNonNull(tokens).tokens()), step);
    }
    Tensor received = Objects.requireNonNull(input, "no input was received");
    if (!model.trainsBefore(blocks)) {
      return Variable.constant(received); // the backward pass ends in this stage
    }
    Variable leaf = tape.leaf(received);
    inputLeaf = leaf;
    return leaf;
  }

  void backward() {
    outputGradientArrival.join();
    Variable last = output;
    if (last == null) {
      tape.backward(losses);
    } else if (last.needsGradient()) {
      tape.backward(last, Objects.requireNonNull(outputGradient));
    }
    inputsDone = true;
  }

  void backwardInputs(DeferredWeights deferred) {
    weightsAreDue = true;
    outputGradientArrival.join();
    Variable last = output;
    if (last == null) {
      tape.backwardInputs(deferred, losses);
    } else if (last.needsGradient()) {
      tape.backwardInputs(deferred, last, Objects.requireNonNull(outputGradient));
    }
    inputsDone = true;
  }

  void backwardWeights() {
    weightsAreDue = false;
    tape.backwardWeights();
  }

  /** Notes that the input is on its way from the stage before. */
  void inputComes(Pending receive) {
    inputArrival = receive;
  }

  /** Notes that the output's gradient is on its way from the next stage. */
  void outputGradientComes(Pending receive) {
    outputGradientArrival = receive;
  }

  /** Notes that the next stage's rank has been sent the output. */
  void outputSent() {
    outputIsGiven = true;
  }

  /** Notes that the rank of the stage before has been sent the input's gradient. */
  void inputGradientSent() {
    inputGradientIsGiven = true;
  }

  /** Takes the output of the stage before, which is on this rank, too. */
  void takeInputFrom(MicroBatchRun before) {
    input = kept(before.output());
    before.outputIsGiven = true;
  }

  /** Takes the gradient from the next stage, which is on this rank, too. */
  void takeGradientFrom(MicroBatchRun next) {
    outputGradient = kept(next.inputGradient());
    next.inputGradientIsGiven = true;
  }

  private Tensor kept(Tensor tensor) {
    Tensor shared = Scope.detach(tensor.share());
    held.add(shared);
    return shared;
  }

  /** Whether the input is here or on its way. */
  boolean hasInput() {
    return blocks.embeds() || input != null;
  }

  /** Whether the output's gradient is here, on its way, or not needed. */
  boolean hasOutputGradient() {
    return model.hasHead(blocks) || outputGradient != null;
  }

  /** Whether all passes are done, and other stages were given what they need. */
  boolean isDone() {
    return tape.isRecording()
        ? inputsDone && !weightsAreDue && (blocks.embeds() || inputGradientIsGiven)
        : losses.length > 0 || outputIsGiven;
  }

  /** Memory for the input that the stage before sends: {@code [rows, h]}. */
  Tensor newInput() {
    Tensor received = border();
    input = received;
    return received;
  }

  /** Memory for the output's gradient that the next stage sends: {@code [rows, h]}. */
  Tensor newOutputGradient() {
    Tensor received = border();
    outputGradient = received;
    return received;
  }

  /** This rank's rows of the micro-batch. */
  private Tensor border() {
    long rows = (long) microBatch.rows() * microBatch.length() / stage.rowShares();
    try (Scope _ = Scope.open(MemoryOwner.ACTIVATIONS)) {
      Tensor tensor =
          Scope.detach(
              Tensors.empty(
                  model.parameters().dtype(), device(), rows, model.config().hiddenSize()));
      held.add(tensor);
      return tensor;
    }
  }

  /** The output for the next stage: {@code [rows, h]}. */
  Tensor output() {
    return Objects.requireNonNull(output, "this stage has no output").value();
  }

  /**
   * The input's gradient for the stage before: {@code [rows, h]}. Of a stage before which nothing
   * is trained zeros, which nobody reads: schedules tell by the message that the input was taken.
   */
  Tensor inputGradient() {
    if (inputLeaf != null) {
      return inputLeaf.gradient();
    }
    if (blocks.embeds()) {
      throw new IllegalStateException("this stage has no input");
    }
    Tensor none = border();
    Tensors.zero(none);
    return none;
  }

  private Device device() {
    return model.parameters().device();
  }

  @Override
  public void close() {
    tape.close();
    if (tokens != null) {
      tokens.close();
    }
    held.forEach(Tensor::close);
    held.clear();
  }
}
