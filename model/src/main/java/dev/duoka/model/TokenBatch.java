package dev.duoka.model;

import dev.duoka.engine.function.LinearCrossEntropy;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A micro-batch on the device: what the model reads and what it should predict. Owns its tensors.
 */
public final class TokenBatch implements AutoCloseable {
  private final Tensor tokens;
  private final Tensor targets;
  private final Tensor[] furtherTokens;
  private final Tensor[] furtherTargets;
  private final @Nullable Tensor references;

  /**
   * Copies a micro-batch to the device.
   *
   * @param tokens {@code sequences · length} ids, sequence after sequence
   * @param targets the next token of each, or {@link LinearCrossEntropy#IGNORED}
   * @param predictionDepth how many modules predict further tokens
   */
  public TokenBatch(
      long[] tokens, long[] targets, int sequences, int predictionDepth, Device device) {
    this(tokens, targets, sequences, predictionDepth, device, null, null);
  }

  /**
   * Copies a part of each sequence to the device.
   *
   * @param positions which tokens of each sequence; null for all
   * @param references log π_ref of each sequence, where pairs are compared; null otherwise
   */
  public TokenBatch(
      long[] tokens,
      long[] targets,
      int sequences,
      int predictionDepth,
      Device device,
      int @Nullable [] positions,
      double @Nullable [] references) {
    int length = tokens.length / sequences;
    UnaryOperator<long[]> here =
        positions == null ? all -> all : all -> selected(all, length, positions);
    int held = positions == null ? length : positions.length;
    try (Scope _ = Scope.open(MemoryOwner.BATCH)) {
      this.tokens = Scope.detach(HostCopy.fromLongs(here.apply(tokens), device, sequences, held));
      this.targets =
          Scope.detach(HostCopy.fromLongs(here.apply(targets), device, (long) sequences * held));
      this.references = references == null ? null : Scope.detach(onDevice(references, device));
      furtherTokens = new Tensor[predictionDepth];
      furtherTargets = new Tensor[predictionDepth];
      long[] shiftedTokens = tokens;
      long[] shiftedTargets = targets;
      for (int depth = 0; depth < predictionDepth; depth++) {
        shiftedTokens = shifted(shiftedTokens, shiftedTargets, length);
        shiftedTargets = shifted(shiftedTargets, length);
        furtherTokens[depth] =
            Scope.detach(HostCopy.fromLongs(here.apply(shiftedTokens), device, sequences, held));
        furtherTargets[depth] =
            Scope.detach(
                HostCopy.fromLongs(here.apply(shiftedTargets), device, (long) sequences * held));
      }
    }
  }

  private static Tensor onDevice(double[] references, Device device) {
    return HostCopy.fromDoubles(references, Dtype.FLOAT64, device, references.length);
  }

  private static long[] selected(long[] all, int length, int[] positions) {
    long[] result = new long[all.length / length * positions.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = all[i / positions.length * length + positions[i % positions.length]];
    }
    return result;
  }

  /** The tokens, int64 {@code [b, t]}. */
  public Tensor tokens() {
    return tokens;
  }

  /** The next tokens, int64 {@code [b·t]}. */
  public Tensor targets() {
    return targets;
  }

  /**
   * log π_ref of each sequence, fp64 {@code [b]}.
   *
   * @throws IllegalStateException where no pairs are compared
   */
  public Tensor references() {
    Tensor ofPairs = references;
    if (ofPairs == null) {
      throw new IllegalStateException("these sequences are no pairs");
    }
    return ofPairs;
  }

  /** The number of sequences, b. */
  public long sequences() {
    return tokens.size(0);
  }

  /** How many modules predict further tokens. */
  public int predictionDepth() {
    return furtherTokens.length;
  }

  /** The tokens that module {@code depth} joins to each position, int64 {@code [b, t]}. */
  Tensor furtherTokens(int depth) {
    return furtherTokens[depth];
  }

  /** What module {@code depth} should predict, int64 {@code [b·t]}. */
  Tensor furtherTargets(int depth) {
    return furtherTargets[depth];
  }

  /** Each position gets the token after it; the last one gets its target, if it has one. */
  private static long[] shifted(long[] tokens, long[] targets, int length) {
    long[] result = new long[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      boolean last = i % length == length - 1;
      result[i] = last ? Math.max(0, targets[i]) : tokens[i + 1];
    }
    return result;
  }

  /** Each position gets the target after it; there is none at the end of a sequence or document. */
  private static long[] shifted(long[] targets, int length) {
    long[] result = new long[targets.length];
    for (int i = 0; i < targets.length; i++) {
      boolean none = i % length == length - 1 || targets[i] == LinearCrossEntropy.IGNORED;
      result[i] = none ? LinearCrossEntropy.IGNORED : targets[i + 1];
    }
    return result;
  }

  @Override
  public void close() {
    tokens.close();
    targets.close();
    if (references != null) {
      references.close();
    }
    for (int i = 0; i < furtherTokens.length; i++) {
      furtherTokens[i].close();
      furtherTargets[i].close();
    }
  }
}
