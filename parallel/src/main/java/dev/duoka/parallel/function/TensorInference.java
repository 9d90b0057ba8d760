package dev.duoka.parallel.function;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.Substitution;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.DoraScale;
import dev.duoka.engine.function.Embedding;
import dev.duoka.engine.function.GroupedQueryHeads;
import dev.duoka.engine.function.HeadNorms;
import dev.duoka.engine.function.Linear;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Elementwise;

/**
 * Tensor parallelism for a model that writes (Shoeybi et al., arXiv:1909.08053 §3): every rank has
 * all rows between functions, since one new token cannot be shared out, and after each product
 * whose inputs are cut the partial sums are added on all ranks. Keeps nothing for gradients.
 */
public final class TensorInference implements Substitution {
  private final Communicator group;
  private final int queriesPerKey;

  /**
   * The functions of one tensor rank.
   *
   * @param group the ranks that share each product
   * @param queriesPerKey query heads for each head of keys and values that this rank has
   */
  public TensorInference(Communicator group, int queriesPerKey) {
    this.group = group;
    this.queriesPerKey = queriesPerKey;
  }

  @Override
  public Variable[] apply(Tape tape, Function function, Variable... inputs) {
    if (tape.isRecording()) {
      throw new IllegalStateException("sums over tensor ranks are not recorded for gradients");
    }
    return switch (function) {
      case Linear linear -> linear(tape, linear, inputs);
      case GroupedQueryHeads heads ->
          tape.applyAsIs(heads.withQueriesPerKey(queriesPerKey), inputs);
      case HeadNorms norms -> tape.applyAsIs(norms.withQueriesPerKey(queriesPerKey), inputs);
      case DoraScale scale -> tape.applyAsIs(TensorParallel.ofWholeRows(scale, group), inputs);
      case Embedding embedding -> summed(tape.applyAsIs(new VocabularyEmbedding(embedding)));
      default -> tape.applyAsIs(function, inputs);
    };
  }

  private Variable[] linear(Tape tape, Linear linear, Variable... inputs) {
    Portion portion = linear.weight().spec().portion();
    if (portion.isAll() || portion.hasWholeRows()) {
      return tape.applyAsIs(linear, inputs);
    }
    Variable[] sum = summed(tape.applyAsIs(linear, inputs[0]));
    if (inputs.length == 2) {
      Elementwise.addInPlace(sum[0].value(), inputs[1].value());
    }
    return sum;
  }

  private Variable[] summed(Variable... partial) {
    Tensor value = partial[0].value();
    group.allReduce(value).join();
    return partial;
  }
}
