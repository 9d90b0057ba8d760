package dev.duoka.parallel.step;

import dev.duoka.data.batch.MicroBatch;
import dev.duoka.engine.function.RotaryTable;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.TokenBatch;
import dev.duoka.parallel.function.ContextChunks;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Which tokens of each sequence are this rank's, and their rotations: all of them, or under context
 * parallelism its chunks. Owns the tables that it makes.
 */
final class LocalTokens implements AutoCloseable {
  private final LanguageModel model;
  private final @Nullable ContextChunks chunks;
  private final Map<Integer, RotaryTable> tables = new HashMap<>();

  /** The tokens of a context rank. */
  LocalTokens(LanguageModel model, ContextChunks chunks) {
    this.model = model;
    this.chunks = chunks.ranks() == 1 ? null : chunks;
  }

  /** Copies them to the device. */
  TokenBatch of(MicroBatch microBatch, int predictionDepth) {
    return new TokenBatch(
        microBatch.tokens(),
        microBatch.targets(),
        microBatch.rows(),
        predictionDepth,
        model.parameters().device(),
        chunks == null ? null : chunks.positions(microBatch.length()),
        microBatch.references().orElse(null));
  }

  /** The number of each of these tokens within the step, int64 {@code [n]}; the caller owns it. */
  Tensor numbers(MicroBatch microBatch) {
    int length = microBatch.length();
    int[] positions =
        chunks == null ? IntStream.range(0, length).toArray() : chunks.positions(length);
    long[] numbers = new long[microBatch.rows() * positions.length];
    for (int i = 0; i < numbers.length; i++) {
      long sequence = microBatch.firstSequence() + i / positions.length;
      numbers[i] = sequence * length + positions[i % positions.length];
    }
    try (Scope _ = Scope.open(MemoryOwner.BATCH)) {
      return Scope.detach(HostCopy.fromLongs(numbers, model.parameters().device(), numbers.length));
    }
  }

  /** The rotations of their positions. */
  RotaryTable rotary(int length) {
    ContextChunks cut = chunks;
    return cut == null
        ? model.rotary()
        : tables.computeIfAbsent(length, it -> model.rotary().at(cut.positions(it)));
  }

  @Override
  public void close() {
    tables.values().forEach(RotaryTable::close);
    tables.clear();
  }
}
