package dev.duoka.engine.autograd;

import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs the nodes of a tape backwards: gradients of inputs and of weights node by node, or in two
 * halves, of which the second may come at any later time.
 */
final class BackwardPass {
  private final List<Node> nodes;
  private final List<Node> waiting = new ArrayList<>();
  private final IdentityHashMap<Parameter, int[]> pendingUses = new IdentityHashMap<>();
  private Consumer<Parameter> onGradientReady = _ -> {};
  private @Nullable FunctionObserver observer;
  private IntConsumer onBlock = _ -> {};
  private int currentBlock = FunctionObserver.NO_BLOCK;

  /** Of the nodes that are in this list when it runs. */
  BackwardPass(List<Node> nodes) {
    this.nodes = nodes;
  }

  void onGradientReady(Consumer<Parameter> callback) {
    onGradientReady = callback;
  }

  void onBlock(IntConsumer callback) {
    onBlock = callback;
  }

  void observeWith(@Nullable FunctionObserver observer) {
    this.observer = observer;
  }

  /** Notes one more use of a parameter, whose gradient is ready after the last of them. */
  void expect(Parameter parameter) {
    pendingUses.computeIfAbsent(parameter, _ -> new int[1])[0]++;
  }

  /** Forgets what waits, which the tape has freed. */
  void clear() {
    waiting.clear();
  }

  /**
   * Where a weight gradient needs the output of the cheap function just before, which was not kept,
   * it waits until that function's own gradient pass, which may compute the output as well and so
   * save a pass over memory.
   */
  void run() {
    Node waiting = null;
    for (int i = nodes.size() - 1; i >= 0; i--) {
      Node node = nodes.get(i);
      enterBlock(node.block);
      boolean waits = false;
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        if (node.hasGradient()) {
          runInputGradients(node, waiting != null);
        }
        if (waiting != null) {
          runWeightGradients(waiting);
        }
        if (node.hasGradient()) {
          waits = i > 0 && node.saved.needsAgain(nodes.get(i - 1));
          if (!waits) {
            runWeightGradients(node);
          }
        }
      }
      if (waiting != null) {
        finish(waiting);
      }
      waiting = waits ? node : null;
      if (!waits) {
        finish(node);
      }
    }
    enterBlock(FunctionObserver.NO_BLOCK);
  }

  private void runInputGradients(Node node, boolean outputsWanted) {
    Function function = node.function;
    if (function == null) {
      return;
    }
    begin(Phase.INPUT_GRADIENTS, function);
    node.saved.wantOutputsAgain(outputsWanted);
    @Nullable Tensor[] gradients = function.inputGradients(node.saved, node.gradients);
    node.keepOutputsAgain();
    for (int i = 0; i < node.inputs.length; i++) {
      Tensor inputGradient = gradients[i];
      Node producer = node.inputs[i].producer();
      if (inputGradient != null && producer != null) {
        producer.accumulate(node.inputs[i].output(), Scope.detach(inputGradient.share()));
      }
    }
    end(Phase.INPUT_GRADIENTS, node, function, 0);
  }

  private void runWeightGradients(Node node) {
    Function function = node.function;
    if (function != null && !function.trained().isEmpty()) {
      begin(Phase.WEIGHT_GRADIENTS, function);
      function.weightGradients(node.saved, node.gradients);
      end(Phase.WEIGHT_GRADIENTS, node, function, 1);
    }
  }

  private void finish(Node node) {
    Function function = node.function;
    if (function != null) {
      for (Parameter parameter : function.trained()) {
        used(parameter);
      }
      node.release();
    }
  }

  private void begin(Phase phase, Function function) {
    if (observer != null) {
      observer.begin(phase, function.name());
    }
  }

  private void end(Phase phase, Node node, Function function, int part) {
    if (observer != null) {
      Work[] work = node.work;
      observer.end(phase, function.name(), work == null ? new Work(0, 0) : work[part]);
    }
  }

  private void used(Parameter parameter) {
    int[] uses = pendingUses.get(parameter);
    if (uses != null && --uses[0] == 0) {
      onGradientReady.accept(parameter);
    }
  }

  /** Weight gradients wait; what they need of cheap functions is computed while these can. */
  void runInputs(DeferredWeights deferred) {
    for (int i = nodes.size() - 1; i >= 0; i--) {
      Node node = nodes.get(i);
      enterBlock(node.block);
      boolean waits = false;
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        if (node.function != null && node.hasGradient()) {
          waits = defers(node.function, deferred);
          runInputGradients(node, node.isWanted() && !node.hasOutputsAgain());
        }
        node.keepWantedOutputs();
      }
      if (waits) {
        node.saved.producers().forEach(Node::want);
        node.keepForWeights();
        waiting.add(node);
      } else {
        finish(node);
      }
    }
    enterBlock(FunctionObserver.NO_BLOCK);
  }

  /** Whether the weight gradients of a function are put off; tells a recomputed block. */
  private static boolean defers(Function function, DeferredWeights deferred) {
    if (function instanceof RecomputedBlock block) {
      if (deferred == DeferredWeights.KEPT) {
        return false; // its input gradients bring the weight gradients with them
      }
      block.deferWeights();
    }
    return !function.trained().isEmpty();
  }

  /** The weight gradients that {@link #runInputs} has put off, in the same order. */
  void runDeferredWeights() {
    for (Node node : waiting) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        runWeightGradients(node);
      }
      for (Node producer : node.saved.producers()) {
        producer.releaseForOne();
      }
      finish(node);
    }
    waiting.clear();
  }

  private void enterBlock(int block) {
    if (block != currentBlock) {
      currentBlock = block;
      onBlock.accept(block);
      if (observer != null) {
        observer.enterBlock(Phase.INPUT_GRADIENTS, block);
      }
    }
  }
}
