package dev.duoka.parallel.function;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.Substitution;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.Attention;

/**
 * Context parallelism: each rank of a group has some tokens of every sequence ({@link
 * ContextChunks}), and only attention needs those of the others.
 *
 * @param group the ranks that share each sequence
 * @param rest what is done for all other functions
 */
public record ContextParallel(Communicator group, Substitution rest) implements Substitution {
  @Override
  public Variable[] apply(Tape tape, Function function, Variable... inputs) {
    return function instanceof Attention attention
        ? tape.applyAsIs(new RingAttention(attention, group), inputs)
        : rest.apply(tape, function, inputs);
  }
}
