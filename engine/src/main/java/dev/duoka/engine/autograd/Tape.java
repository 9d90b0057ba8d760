package dev.duoka.engine.autograd;

import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.layout.Recompute;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Records the applications of one forward pass and runs them backwards.
 *
 * <p>A tape serves one micro-batch: forward, {@link #backward}, {@link #close}. It belongs to one
 * thread. Outputs of applications live in the scope that is open at that moment, so a model opens
 * scopes ({@link #scoped}) around its parts to free what nobody saved.
 */
public final class Tape implements AutoCloseable {
  private final boolean recording;
  private final Recompute recompute;
  private final List<Node> nodes = new ArrayList<>();
  private final List<Tensor> held = new ArrayList<>();
  private final @Nullable BlockTrace trace;
  private final @Nullable List<BlockTrace.Again> again;
  private int applications;
  private int blocks;
  private int currentBlock = FunctionObserver.NO_BLOCK;
  private @Nullable SavedTensorHook hook;
  private final BackwardPass backward = new BackwardPass(nodes);
  private Substitution substitution = Substitution.NONE;
  private @Nullable FunctionObserver observer;
  private IntConsumer onBlock = _ -> {};
  private MemoryOwner owner = MemoryOwner.ACTIVATIONS;

  private Tape(
      boolean recording,
      Recompute recompute,
      @Nullable BlockTrace trace,
      @Nullable List<BlockTrace.Again> again) {
    this.recording = recording;
    this.recompute = recompute;
    this.trace = trace;
    this.again = again;
  }

  /** A tape that records for a backward pass. */
  public static Tape recording(Recompute recompute) {
    return new Tape(true, recompute, null, null);
  }

  /** A tape that records nothing: for validation and generation. */
  public static Tape inference() {
    return new Tape(false, Recompute.NONE, null, null);
  }

  /** As {@link #inference}, and writes down what is applied. */
  static Tape tracing(BlockTrace trace) {
    return new Tape(false, Recompute.NONE, trace, null);
  }

  /** Records a second run, in which some applications only save. */
  static Tape recordingAgain(List<BlockTrace.Again> plan) {
    return new Tape(true, Recompute.NONE, null, plan);
  }

  /** Whether this tape keeps what a backward pass needs. */
  public boolean isRecording() {
    return recording;
  }

  Recompute recompute() {
    return recompute;
  }

  /** Books what functions put out and save as another owner's than {@code ACTIVATIONS}. */
  public void bookAs(MemoryOwner other) {
    owner = other;
  }

  /** Lets {@code hook} keep the saved tensors; set before the first application. */
  public void keepSavedTensorsWith(SavedTensorHook hook) {
    this.hook = hook;
  }

  @Nullable SavedTensorHook savedTensorHook() {
    return hook;
  }

  /**
   * Calls back when the last gradient of this pass has been added to a parameter, in the order of
   * the backward pass: the moment to start a reduction.
   */
  public void onGradientReady(Consumer<Parameter> callback) {
    backward.onGradientReady(callback);
  }

  /** Lets {@code substitution} decide what is done for the functions that follow. */
  public void substituteWith(Substitution substitution) {
    this.substitution = substitution;
  }

  Substitution substitution() {
    return substitution;
  }

  /** Lets {@code observer} see what follows; null for nobody. */
  public void observeWith(@Nullable FunctionObserver observer) {
    this.observer = observer;
    backward.observeWith(observer);
  }

  /**
   * Lets {@code callback} know to which block ({@link #block}) what follows belongs, forward and
   * backward: its number from 0, {@link FunctionObserver#NO_BLOCK} outside.
   */
  public void onBlock(IntConsumer callback) {
    onBlock = callback;
    backward.onBlock(callback);
  }

  /** A variable whose gradient can be read after the backward pass. */
  public Variable leaf(Tensor value) {
    if (!recording) {
      return Variable.constant(value);
    }
    Node node = new Node(null, new Variable[0], new SavedTensors(this, new Variable[0]), 1);
    nodes.add(node);
    return new Variable(value, node, 0);
  }

  /** Applies a function with one output. */
  public Variable apply(Function function, Variable... inputs) {
    return applyAll(function, inputs)[0];
  }

  /** Applies a function, or what its layout puts in its place. */
  public Variable[] applyAll(Function function, Variable... inputs) {
    return substitution.apply(this, function, inputs);
  }

  /** Applies a function itself, whatever the {@link Substitution} says; for substitutions. */
  public Variable[] applyAsIs(Function function, Variable... inputs) {
    SavedTensors saved = new SavedTensors(this, inputs);
    Tensor[] values = new Tensor[inputs.length];
    for (int i = 0; i < inputs.length; i++) {
      values[i] = inputs[i].value();
    }
    if (observer != null) {
      observer.begin(Phase.FORWARD, function.name());
    }
    BlockTrace.Again part = again == null ? null : again.get(applications++);
    Tensor[] outputs =
        part == null || part.whole()
            ? forward(function, saved, values)
            : saveOnly(function, saved, part, values);
    if (trace != null) {
      trace.add(function, values, outputs, saved.count());
    }
    if (observer != null) {
      observer.end(Phase.FORWARD, function.name(), Work.forward(function, values, outputs));
    }
    Node node = null;
    if (recording && needsGradient(function, inputs)) {
      node = new Node(function, inputs, saved, outputs.length);
      node.block = currentBlock;
      if (observer != null) {
        node.work =
            new Work[] {
              Work.inputGradients(function, values, outputs),
              Work.weightGradients(function, values, outputs)
            };
      }
      nodes.add(node);
      for (Parameter parameter : function.trained()) {
        backward.expect(parameter);
      }
    } else {
      saved.close();
    }
    Variable[] variables = new Variable[outputs.length];
    for (int i = 0; i < outputs.length; i++) {
      variables[i] = new Variable(outputs[i], node, i);
    }
    return variables;
  }

  private Tensor[] forward(Function function, SavedTensors saved, Tensor... values) {
    boolean done = false;
    try (Scope scope = Scope.open(owner)) {
      Tensor[] outputs = function.forward(saved, values);
      if (recording && recompute == Recompute.SELECTIVE && function.isCheap()) {
        saved.saveInputsForRecompute();
      }
      for (Tensor output : outputs) {
        scope.keep(output);
      }
      done = true;
      return outputs;
    } finally {
      if (!done) { // no node will ever own what was saved
        saved.close();
      }
    }
  }

  /** Lets a function save what it does, and no more; the outputs are empty stand-ins. */
  private Tensor[] saveOnly(
      Function function, SavedTensors saved, BlockTrace.Again part, Tensor... values) {
    boolean done = part.saves() == 0;
    if (!done) {
      saved.stopAfter(part.saves());
      try (Scope _ = Scope.open(MemoryOwner.ACTIVATIONS)) {
        function.forward(saved, values);
      } catch (SavedTensors.AllSaved _) {
        done = true;
      } finally {
        if (!done) {
          saved.close();
        }
      }
    }
    Tensor[] standIns = new Tensor[part.outputs()];
    for (int i = 0; i < standIns.length; i++) {
      standIns[i] = Tensors.empty(values[0].dtype(), values[0].device(), 0);
    }
    return standIns;
  }

  /**
   * Keeps a tensor that functions hold on to, indices say, as long as this tape needs it: until
   * {@link #close} when recording, until the end of its scope otherwise.
   */
  public Tensor hold(Tensor tensor) {
    if (recording) {
      held.add(Scope.detach(tensor));
    }
    return tensor;
  }

  private static boolean needsGradient(Function function, Variable[] inputs) {
    for (Variable input : inputs) {
      if (input.needsGradient()) {
        return true;
      }
    }
    return !function.trained().isEmpty();
  }

  /** Runs a part of the model and frees all its outputs but the last that nobody saved. */
  public Variable scoped(Variable input, UnaryOperator<Variable> part) {
    try (Scope scope = Scope.open(MemoryOwner.ACTIVATIONS)) {
      Variable output = part.apply(input);
      scope.keep(output.value());
      return output;
    }
  }

  /**
   * Runs one block of the model, a decoder layer say: as {@link #scoped}, and under {@link
   * Recompute#FULL} keeping nothing but its input.
   */
  public Variable block(Variable input, UnaryOperatorOnTape body) {
    enterBlock(Phase.FORWARD, blocks++);
    Variable output =
        recording && recompute == Recompute.FULL
            ? apply(new RecomputedBlock(body, hook, substitution), input)
            : scoped(input, x -> body.apply(this, x));
    enterBlock(Phase.FORWARD, FunctionObserver.NO_BLOCK);
    return output;
  }

  private void enterBlock(Phase phase, int block) {
    if (block != currentBlock) {
      currentBlock = block;
      onBlock.accept(block);
      if (observer != null) {
        observer.enterBlock(phase, block);
      }
    }
  }

  /** A block's computation on whichever tape it is given. */
  @FunctionalInterface
  public interface UnaryOperatorOnTape {
    /** Runs the block. */
    Variable apply(Tape tape, Variable input);
  }

  /** Runs backwards from losses of one element each, whose own gradients are 1. */
  public void backward(Variable... losses) {
    seed(losses);
    backward.run();
  }

  /**
   * Runs the recorded applications backwards from {@code output} and adds to the main gradients of
   * all parameters met. On CUDA it only launches.
   *
   * @param gradient of the output, borrowed; same shape as the output
   */
  public void backward(Variable output, Tensor gradient) {
    seed(output, gradient);
    backward.run();
  }

  /**
   * The first half of {@link #backward(Variable...)}: the gradients of inputs and leaves. What the
   * parameters' gradients need is kept, booked as {@link MemoryOwner#WAITING}, until {@link
   * #backwardWeights}.
   */
  public void backwardInputs(DeferredWeights deferred, Variable... losses) {
    seed(losses);
    backward.runInputs(deferred);
  }

  /** The first half of {@link #backward(Variable, Tensor)}. */
  public void backwardInputs(DeferredWeights deferred, Variable output, Tensor gradient) {
    seed(output, gradient);
    backward.runInputs(deferred);
  }

  /**
   * The second half: adds to the main gradients of all parameters, with the same bits as if both
   * halves had run as one. At any time after the first.
   */
  public void backwardWeights() {
    backward.runDeferredWeights();
  }

  private static void seed(Variable... losses) {
    for (Variable loss : losses) {
      Tensor value = loss.value();
      Node producer = loss.producer();
      if (producer != null) {
        producer.accumulate(
            loss.output(),
            Scope.detach(Tensors.full(1, value.dtype(), value.device(), value.shape())));
      }
    }
  }

  private static void seed(Variable output, Tensor gradient) {
    Node producer = output.producer();
    if (producer == null) {
      throw new IllegalStateException("nothing to differentiate: no parameter or leaf was used");
    }
    producer.accumulate(output.output(), Scope.detach(gradient.share()));
  }

  /** Frees whatever is still held: after a failure, or a forward pass without a backward. */
  @Override
  public void close() {
    nodes.forEach(Node::releaseAll);
    nodes.clear();
    backward.clear();
    held.forEach(Tensor::close);
    held.clear();
  }
}
