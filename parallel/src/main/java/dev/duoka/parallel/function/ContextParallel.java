package dev.duoka.parallel.function;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Purpose;
import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.Substitution;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.Attention;
import dev.duoka.engine.function.NextToken;
import dev.duoka.engine.function.PreferenceLoss;
import dev.duoka.tensor.Tensor;

/**
 * Context parallelism: each rank of a group has some tokens of every sequence ({@link
 * ContextChunks}), and only attention needs those of the others; losses of whole sequences need
 * their sums.
 *
 * @param group the ranks that share each sequence
 * @param rest what is done for all other functions
 */
public record ContextParallel(Communicator group, Substitution rest) implements Substitution {
  @Override
  public Variable[] apply(Tape tape, Function function, Variable... inputs) {
    return switch (function) {
      case Attention attention -> tape.applyAsIs(new RingAttention(attention, group), inputs);
      case PreferenceLoss loss -> rest.apply(tape, loss.summing(this::summed), inputs);
      case NextToken choice -> rest.apply(tape, choice.summing(this::summed), inputs);
      default -> rest.apply(tape, function, inputs);
    };
  }

  private Tensor summed(Tensor ofSequences) {
    try (Purpose _ = Purpose.of("sums over sequences")) {
      group.allReduce(ofSequences).join();
    }
    return ofSequences;
  }
}
