package dev.duoka.engine.autograd;

import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Elementwise;
import org.jspecify.annotations.Nullable;

/** One application of a function on a tape, or a leaf. */
public final class Node {
  final @Nullable Function function;
  final Variable[] inputs;
  final SavedTensors saved;
  final @Nullable Tensor[] gradients;
  private Tensor @Nullable [] recomputed;

  /** The block of the tape that it belongs to. */
  int block = FunctionObserver.NO_BLOCK;

  /** Applications whose weight gradients wait for this one's outputs. */
  private int wanted;

  /** The least work of each phase, by ordinal; null when nobody observes. */
  Work @Nullable [] work;

  Node(@Nullable Function function, Variable[] inputs, SavedTensors saved, int outputs) {
    this.function = function;
    this.inputs = inputs;
    this.saved = saved;
    this.gradients = new @Nullable Tensor[outputs];
  }

  boolean isLeaf() {
    return function == null;
  }

  boolean isCheap() {
    return function != null && function.isCheap();
  }

  boolean hasGradient() {
    for (Tensor gradient : gradients) {
      if (gradient != null) {
        return true;
      }
    }
    return false;
  }

  /** Adds to the gradient of an output; takes over the tensor, which is in no scope. */
  void accumulate(int output, Tensor gradient) {
    Tensor former = gradients[output];
    if (former == null) {
      gradients[output] = gradient;
      return;
    }
    try (former;
        gradient) {
      gradients[output] = Scope.detach(Elementwise.add(former, gradient));
    }
  }

  /** An output that was not kept, computed again and held until this node is done. */
  Tensor recomputedOutput(int output) {
    if (recomputed == null) {
      if (function == null) {
        throw new IllegalStateException("a leaf is never recomputed");
      }
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Tape silent = Tape.inference();
        Tensor[] outputs =
            function.forward(new SavedTensors(silent, inputs), saved.savedInputs(inputs.length));
        for (Tensor tensor : outputs) {
          Scope.detach(tensor);
        }
        recomputed = outputs;
      }
    }
    return recomputed[output];
  }

  boolean hasOutputsAgain() {
    return recomputed != null;
  }

  /** Takes over the outputs that the gradient pass has computed on its way. */
  void keepOutputsAgain() {
    Tensor[] again = saved.takeOutputsAgain();
    if (again != null) {
      recomputed = again;
    }
  }

  /** Notes that a waiting weight gradient will read the outputs again. */
  void want() {
    wanted++;
  }

  boolean isWanted() {
    return wanted > 0;
  }

  /** Makes sure that wanted outputs are there before what they are computed from is freed. */
  void keepWantedOutputs() {
    if (isWanted()) {
      recomputedOutput(0);
      bookOn(recomputed, MemoryOwner.WAITING);
    }
  }

  /** One of the waiting weight gradients has read the outputs. */
  void releaseForOne() {
    if (--wanted == 0) {
      releaseRecomputed();
    }
  }

  /** Books on the ledger what the weight gradients need until they run. */
  void keepForWeights() {
    saved.bookOn(MemoryOwner.WAITING);
    bookOn(gradients, MemoryOwner.WAITING);
  }

  private static void bookOn(@Nullable Tensor @Nullable [] tensors, MemoryOwner owner) {
    if (tensors != null) {
      for (Tensor tensor : tensors) {
        if (tensor != null) {
          tensor.bookOn(owner);
        }
      }
    }
  }

  /**
   * Frees what was saved and the gradients; a leaf keeps its gradient until the tape closes.
   * Outputs that a weight gradient waits for stay.
   */
  void release() {
    saved.close();
    if (!isWanted()) {
      releaseRecomputed();
    }
    if (function != null) {
      function.release();
      releaseGradients();
    }
  }

  /** Frees everything, whoever waits for it. */
  void releaseAll() {
    wanted = 0;
    release();
    releaseGradients();
  }

  private void releaseRecomputed() {
    if (recomputed != null) {
      for (Tensor tensor : recomputed) {
        tensor.close();
      }
      recomputed = null;
    }
  }

  void releaseGradients() {
    for (int i = 0; i < gradients.length; i++) {
      Tensor gradient = gradients[i];
      if (gradient != null) {
        gradient.close();
        gradients[i] = null;
      }
    }
  }
}
