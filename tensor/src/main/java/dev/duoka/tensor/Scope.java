package dev.duoka.tensor;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Owns the tensors made while it is the innermost open scope of its thread, and frees them when it
 * closes.
 *
 * <pre>{@code
 * try (Scope scope = Scope.open(MemoryOwner.TEMPORARIES)) {
 *   Tensor y = Elementwise.mul(x, x);
 *   result = scope.keep(Reductions.sum(y)); // moves to the enclosing scope
 * }                                         // y is freed here
 * }</pre>
 *
 * <p>Scopes nest like blocks, one stack per thread, and must be closed in that order. A tensor made
 * while no scope is open belongs to the caller, who closes it.
 */
public final class Scope implements AutoCloseable {
  private static final ThreadLocal<@Nullable Scope> CURRENT = new ThreadLocal<>();

  private final @Nullable Scope parent;
  private final MemoryOwner owner;
  private final List<Tensor> tensors = new ArrayList<>();
  private boolean closed;

  private Scope(@Nullable Scope parent, MemoryOwner owner) {
    this.parent = parent;
    this.owner = owner;
  }

  /** Opens a scope whose allocations are booked on {@code owner}. */
  public static Scope open(MemoryOwner owner) {
    Scope scope = new Scope(CURRENT.get(), owner);
    CURRENT.set(scope);
    return scope;
  }

  /** Opens a scope that books on the same owner as the enclosing one. */
  public static Scope open() {
    Scope current = CURRENT.get();
    return open(current == null ? MemoryOwner.TEMPORARIES : current.owner);
  }

  /** Moves a tensor of this scope to the enclosing scope, or to the caller if there is none. */
  public Tensor keep(Tensor tensor) {
    release(tensor);
    if (parent != null) {
      parent.tensors.add(tensor);
      tensor.scope = parent;
    }
    return tensor;
  }

  /** Takes a tensor out of whatever scope it is in; the caller closes it from now on. */
  public static Tensor detach(Tensor tensor) {
    Scope scope = tensor.scope;
    if (scope != null) {
      scope.release(tensor);
    }
    return tensor;
  }

  private void release(Tensor tensor) {
    // Usually the newest tensors leave, so search from the end.
    for (int i = tensors.size() - 1; i >= 0; i--) {
      if (tensors.get(i) == tensor) {
        tensors.remove(i);
        tensor.scope = null;
        return;
      }
    }
    throw new IllegalStateException(
        "a tensor " + tensor + " was to leave a scope that does not own it");
  }

  static void adopt(Tensor tensor) {
    Scope current = CURRENT.get();
    if (current != null) {
      current.tensors.add(tensor);
      tensor.scope = current;
    }
  }

  static MemoryOwner currentOwner() {
    Scope current = CURRENT.get();
    return current == null ? MemoryOwner.TEMPORARIES : current.owner;
  }

  /** Frees every tensor still owned; closing twice does nothing. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    if (CURRENT.get() != this) {
      throw new IllegalStateException(
          "scopes must be closed in the reverse order of their opening, by the thread that opened"
              + " them");
    }
    closed = true;
    CURRENT.set(parent);
    for (int i = tensors.size() - 1; i >= 0; i--) {
      Tensor tensor = tensors.get(i);
      tensor.scope = null;
      tensor.close();
    }
    tensors.clear();
  }
}
