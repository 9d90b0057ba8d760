package dev.duoka.comm.tcp;

import dev.duoka.comm.Exchange;
import dev.duoka.tensor.Tensor;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a rank of this process has shown, been shown, and waits for. Guarded by the world, except
 * the copies of messages on their way: those belong to the rank's own thread ({@link #keep}, {@link
 * #letGo} and {@link #closeCopies}).
 */
final class Endpoint {
  /** By the call, and the rank that offers. */
  final Map<Slot, Offer> offers = new HashMap<>();

  /** By the call, and the rank that has said it. */
  final Set<Slot> ready = new HashSet<>();

  /** By the call; of a message also the rank that it goes to. */
  final Map<Slot, Window> windows = new HashMap<>();

  /** By the message, and the rank that it comes from. */
  final Map<Slot, Reception> receptions = new HashMap<>();

  /** Copies in host memory of messages on their way. Not guarded: the rank's own thread alone. */
  private final Set<Tensor> copies = Collections.newSetFromMap(new IdentityHashMap<>());

  private final int rank;
  private @Nullable Exchange call;
  private @Nullable Supplier<List<Integer>> missing;
  private long progress = System.nanoTime();
  private long nextGroup = 1;

  Endpoint(int rank) {
    this.rank = rank;
  }

  /** Keeps a message's copy in host memory, which goes with the message. */
  void keep(Tensor copy) {
    copies.add(copy);
  }

  /** The message of that copy has come: frees it. */
  void letGo(Tensor copy) {
    copies.remove(copy);
    copy.close();
  }

  /** Messages on their way are forgotten. */
  void closeCopies() {
    copies.forEach(Tensor::close);
    copies.clear();
  }

  /** Forgets all that was shown: exchange begins again. */
  void beginAgain() {
    offers.clear();
    ready.clear();
    windows.values().forEach(Window::forget);
    windows.clear();
    receptions.clear();
  }

  /** The world's number of the rank. */
  int rank() {
    return rank;
  }

  /** The smallest number that no group of this rank has. */
  long nextGroup() {
    return nextGroup;
  }

  void reserveGroup(long id) {
    nextGroup = id + 1;
  }

  /** The rank waits in a call for those that {@code missing} lists. */
  void waitsIn(Exchange exchange, Supplier<List<Integer>> others) {
    call = exchange;
    missing = others;
  }

  /** The rank makes a call in which it does not wait. */
  void calls(Exchange exchange) {
    call = exchange;
  }

  /** The rank waits no longer. */
  void goesOn() {
    missing = null;
  }

  /** Data of this rank has come or gone. */
  void progressed() {
    progress = System.nanoTime();
  }

  long lastProgress() {
    return progress;
  }

  /** What the rank does, as others are told. */
  View view() {
    Exchange current = call;
    if (current == null) {
      return new View("has called nothing yet", -1);
    }
    List<Integer> others = missing == null ? List.of() : missing.get();
    return others.isEmpty()
        ? new View("computes; its last call was " + current, -1)
        : new View(
            "is in " + current + " and waits for rank " + others.getFirst(), others.getFirst());
  }

  /** The call in which the rank waits; null when it does not. */
  @Nullable Exchange waitsIn() {
    return missing == null ? null : call;
  }

  /**
   * What a rank does.
   *
   * @param text follows the rank's name
   * @param waitsFor the rank that it waits for; −1 for none
   */
  record View(String text, int waitsFor) {}
}
