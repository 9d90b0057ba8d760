package dev.duoka.parallel.function;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Purpose;
import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.Substitution;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.DoraScale;
import dev.duoka.engine.function.Embedding;
import dev.duoka.engine.function.EmbeddingNoise;
import dev.duoka.engine.function.GroupedQueryHeads;
import dev.duoka.engine.function.HeadFunction;
import dev.duoka.engine.function.HeadNorms;
import dev.duoka.engine.function.LatentHeads;
import dev.duoka.engine.function.Linear;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.Portion;

/**
 * Tensor parallelism with sequence parallelism (Shoeybi et al., arXiv:1909.08053 §3; Korthikanti et
 * al., arXiv:2205.05198 §4.2). Between the functions whose weight is cut, each rank has its part of
 * the rows of the micro-batch; norms, routers, experts and every other whole weight work on those.
 * Before a product whose outputs are cut the rows are gathered, after one whose inputs are cut the
 * partial sums are added and each rank keeps its rows again.
 */
public final class TensorParallel implements Substitution {
  private final Communicator group;
  private final int queriesPerKey;

  /**
   * The functions of one tensor rank.
   *
   * @param group the ranks that share each product
   * @param queriesPerKey query heads for each head of keys and values that this rank has
   */
  public TensorParallel(Communicator group, int queriesPerKey) {
    this.group = group;
    this.queriesPerKey = queriesPerKey;
  }

  @Override
  public Variable[] apply(Tape tape, Function function, Variable... inputs) {
    return switch (function) {
      case Linear linear -> linear(tape, linear, inputs);
      case GroupedQueryHeads heads ->
          tape.applyAsIs(heads.withQueriesPerKey(queriesPerKey), inputs);
      case HeadNorms norms -> tape.applyAsIs(norms.withQueriesPerKey(queriesPerKey), inputs);
      case LatentHeads heads ->
          // The rotated part of the key is one for all heads, so all ranks' heads add to its
          // gradient.
          tape.applyAsIs(heads, inputs[0], inputs[1], gathered(tape, inputs[2]));
      case Embedding embedding -> summed(tape, new VocabularyEmbedding(embedding));
      case EmbeddingNoise noise ->
          tape.applyAsIs(noise.ofRows(group.rank() * inputs[0].value().size(0)), inputs);
      case HeadFunction loss ->
          tape.applyAsIs(
              loss.over(new VocabularyCrossEntropy(loss.projection(), group)),
              gathered(tape, inputs[0]));
      case DoraScale scale -> tape.applyAsIs(ofWholeRows(scale, group), inputs);
      default -> tape.applyAsIs(function, inputs);
    };
  }

  /** With the norms of whole rows, where each rank has some of the weight's columns. */
  static DoraScale ofWholeRows(DoraScale scale, Communicator group) {
    Portion portion = scale.weight().spec().portion();
    return portion.isAll() || portion.hasWholeRows()
        ? scale
        : scale.summing(
            squares -> {
              try (Purpose _ = Purpose.of("norms of " + scale.weight().name())) {
                group.allReduce(squares).join();
              }
              return squares;
            });
  }

  private Variable[] linear(Tape tape, Linear linear, Variable... inputs) {
    ParameterSpec spec = linear.weight().spec();
    if (spec.portion().isAll()) {
      long rows = inputs[0].value().size(0);
      return tape.applyAsIs(linear.ofRows(group.rank() * rows, rows), inputs);
    }
    if (spec.portion().hasWholeRows()) {
      if (inputs.length != 1) {
        throw new IllegalStateException(linear.name() + " adds a residual to cut outputs");
      }
      return tape.applyAsIs(linear, gathered(tape, inputs[0]));
    }
    Variable partial = tape.applyAsIs(linear, inputs[0])[0];
    return inputs.length == 2
        ? tape.applyAsIs(new SumRows(group), partial, inputs[1])
        : tape.applyAsIs(new SumRows(group), partial);
  }

  private Variable gathered(Tape tape, Variable rows) {
    return tape.applyAsIs(new GatherRows(group), rows)[0];
  }

  private Variable[] summed(Tape tape, Function partial) {
    return tape.applyAsIs(new SumRows(group), tape.applyAsIs(partial));
  }
}
