package dev.duoka.engine.autograd;

import dev.duoka.base.Resources;
import dev.duoka.layout.Recompute;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What one application keeps for its gradients, by name. A saved tensor shares the memory of the
 * original and lives until the application's gradients are done.
 */
public final class SavedTensors {
  /** One saved tensor: where it is now, or how it is made again. */
  private sealed interface Slot {
    record Kept(Tensor tensor) implements Slot {}

    /** Handed to a hook, which returned a ticket for it. */
    record Packed(Object ticket) implements Slot {}

    /** An output of an earlier, cheap application; it is computed again when needed. */
    record Recomputed(Node producer, int output) implements Slot {}
  }

  private final Tape tape;
  private final Variable[] inputs;
  private final Map<String, Slot> slots = new LinkedHashMap<>();
  private int count;
  private int enough = Integer.MAX_VALUE;
  private boolean outputsWanted;
  private Tensor @Nullable [] outputsAgain;

  SavedTensors(Tape tape, Variable[] inputs) {
    this.tape = tape;
    this.inputs = inputs;
  }

  /** Keeps an input of the application, or the recipe to compute it again. */
  public void saveInput(String name, int index) {
    Variable input = inputs[index];
    Node producer = input.producer();
    if (producer != null && tape.recompute() == Recompute.SELECTIVE && producer.isCheap()) {
      slots.put(name, new Slot.Recomputed(producer, input.output()));
    } else {
      save(name, input.value());
    }
  }

  /** Keeps an intermediate result or an output. */
  public void save(String name, Tensor tensor) {
    count++;
    if (!tape.isRecording()) {
      return;
    }
    Slot former = slots.put(name, kept(name, tensor.share()));
    if (former != null) {
      release(name, former);
    }
    if (count == enough) {
      throw new AllSaved();
    }
  }

  private Slot kept(String name, Tensor shared) {
    SavedTensorHook hook = tape.savedTensorHook();
    if (hook == null) {
      return new Slot.Kept(Scope.detach(shared));
    }
    try (Resources made = new Resources()) { // a hook that fails has not taken it over
      Object ticket = hook.pack(name, made.own(Scope.detach(shared)));
      made.release();
      return new Slot.Packed(ticket);
    }
  }

  /** How often {@link #save} was called, directly or for an input. */
  int count() {
    return count;
  }

  /** Ends the forward pass with {@link AllSaved} once this many tensors are saved. */
  void stopAfter(int saves) {
    enough = saves;
  }

  /** Nobody reads the outputs of the forward pass that this leaves, and what it saves is saved. */
  static final class AllSaved extends RuntimeException {
    private static final long serialVersionUID = 1L;

    AllSaved() {
      super("all saved", null, false, false);
    }
  }

  /** A saved tensor; borrowed. A packed one is brought back first. */
  public Tensor get(String name) {
    Slot slot = slots.get(name);
    return switch (slot) {
      case null ->
          throw new IllegalStateException(
              "'" + name + "' was not saved; saved are " + slots.keySet());
      case Slot.Kept(Tensor tensor) -> tensor;
      case Slot.Packed(Object ticket) -> {
        SavedTensorHook hook = tape.savedTensorHook();
        if (hook == null) {
          throw new IllegalStateException("the hook that packed '" + name + "' is gone");
        }
        Tensor tensor = Scope.detach(hook.unpack(name, ticket));
        slots.put(name, new Slot.Kept(tensor));
        yield tensor;
      }
      case Slot.Recomputed(Node producer, int output) -> producer.recomputedOutput(output);
    };
  }

  /** Whether a backward pass will follow; if not, nothing that is saved is kept. */
  public boolean isRecording() {
    return tape.isRecording();
  }

  /** Whether something was saved under this name. */
  public boolean has(String name) {
    return slots.containsKey(name);
  }

  /** How many inputs the application has, for functions that take one more or less. */
  public int inputCount() {
    return inputs.length;
  }

  /** Whether gradients of input {@code index} are wanted. */
  public boolean needsInputGradient(int index) {
    return inputs[index].needsGradient();
  }

  /**
   * Takes over what other functions have added to the gradient of an input so far, for functions
   * that add their own in the same pass over memory: what they then return is the whole sum. Null
   * where there is nothing yet. The tensor belongs to the current scope.
   */
  public @Nullable Tensor takeGradientSoFar(int index) {
    Node producer = inputs[index].producer();
    if (producer == null) {
      return null;
    }
    Tensor gradient = producer.gradients[inputs[index].output()];
    producer.gradients[inputs[index].output()] = null;
    if (gradient == null) {
      return null;
    }
    try (gradient) {
      return gradient.share();
    }
  }

  /**
   * Whether a weight gradient is waiting for this application's outputs, which were not kept: a
   * cheap function that can compute them within its gradient pass gives them ({@link
   * #giveOutputsAgain}); for any other they are computed by its forward pass.
   */
  public boolean wantsOutputsAgain() {
    return outputsWanted;
  }

  /** Gives all outputs, the same bits as the forward pass made. */
  public void giveOutputsAgain(Tensor... outputs) {
    for (Tensor output : outputs) {
      Scope.detach(output);
    }
    outputsAgain = outputs;
  }

  void wantOutputsAgain(boolean wanted) {
    outputsWanted = wanted;
  }

  /** What {@link #giveOutputsAgain} was given, once; the caller owns it. */
  Tensor @Nullable [] takeOutputsAgain() {
    Tensor[] given = outputsAgain;
    outputsAgain = null;
    return given;
  }

  /** Whether a saved tensor is to be computed again from {@code producer}, and is not there yet. */
  boolean needsAgain(Node producer) {
    for (Slot slot : slots.values()) {
      if (slot instanceof Slot.Recomputed(Node from, int _) && from == producer) {
        return !producer.hasOutputsAgain();
      }
    }
    return false;
  }

  /** The cheap applications whose outputs are to be computed again for this one, each once. */
  Set<Node> producers() {
    Set<Node> producers = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Slot slot : slots.values()) {
      if (slot instanceof Slot.Recomputed(Node from, int _)) {
        producers.add(from);
      }
    }
    return producers;
  }

  /** Books what is kept here on another owner; what a hook keeps is for the hook to book. */
  void bookOn(MemoryOwner owner) {
    for (Slot slot : slots.values()) {
      if (slot instanceof Slot.Kept(Tensor tensor)) {
        tensor.bookOn(owner);
      }
    }
  }

  /** The inputs again, for a cheap function that is recomputed. */
  Tensor[] savedInputs(int count) {
    Tensor[] values = new Tensor[count];
    for (int i = 0; i < count; i++) {
      values[i] = get(inputName(i));
    }
    return values;
  }

  void saveInputsForRecompute() {
    for (int i = 0; i < inputs.length; i++) {
      saveInput(inputName(i), i);
    }
  }

  private static String inputName(int index) {
    return "input " + index;
  }

  void close() {
    slots.forEach(this::release);
    slots.clear();
  }

  private void release(String name, Slot slot) {
    switch (slot) {
      case Slot.Kept(Tensor tensor) -> tensor.close();
      case Slot.Packed(Object ticket) -> {
        SavedTensorHook hook = tape.savedTensorHook();
        if (hook != null) {
          hook.discard(name, ticket);
        }
      }
      case Slot.Recomputed _ -> {} // its producer owns what it computes
    }
  }
}
