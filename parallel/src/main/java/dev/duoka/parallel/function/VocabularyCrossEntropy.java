package dev.duoka.parallel.function;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.function.OutputProjection;
import dev.duoka.engine.function.RowScale;
import dev.duoka.engine.function.TokenCrossEntropy;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * The cross-entropy of rows whose vocabulary is cut over the tensor ranks: each has the logits of
 * its own tokens alone, and the ranks exchange three numbers for each row. Every rank has the same
 * losses; the gradient of the hidden states {@code [n, h]} is this rank's part of a sum over the
 * ranks. Collective.
 */
final class VocabularyCrossEntropy extends TokenCrossEntropy {
  /** Logits of one chunk take at most this many bytes in the wide dtype. */
  private static final long CHUNK_BYTES = 64L << 20;

  private final VocabularyRows rows;
  private final Communicator group;

  /** Of what this rank has of the output projection. */
  VocabularyCrossEntropy(OutputProjection projection, Communicator group) {
    super(projection);
    this.rows = VocabularyRows.of(projection.weight());
    this.group = group;
  }

  @Override
  protected long chunkRows(Tensor hidden) {
    return Math.max(
        1, Math.min(hidden.size(0), CHUNK_BYTES / (wide(hidden).bytes() * largestPart())));
  }

  @Override
  protected Tensor mostLikely(Tensor hidden) {
    Tensor logits = Copies.cast(projection().logits(hidden), Dtype.FLOAT64);
    Tensor token =
        Elementwise.add(
            Copies.cast(Reductions.argmax(logits, 1), Dtype.FLOAT64), (double) rows.first());
    Tensor mine =
        Copies.concatenate(
            1,
            Reductions.max(logits, true, 1),
            Views.reshape(token, -1, 1),
            Views.reshape(token, -1, 1));
    Tensor[] all = exchange(mine);
    Tensor largest = Reductions.max(all[0], true, 0);
    // Of equally likely tokens the first: among the ranks that have one, the smallest number.
    Tensor isLargest = Copies.cast(Elementwise.equal(all[0], largest), Dtype.FLOAT64);
    double none = weight().spec().portion().whole().getFirst();
    Tensor candidates =
        Elementwise.add(
            all[1], Elementwise.mul(Elementwise.add(Elementwise.neg(isLargest), 1), none));
    return Copies.cast(Views.reshape(Reductions.min(candidates, false, 0), -1), Dtype.INT64);
  }

  /** Of the rank with most of the vocabulary: chunks are the same on all ranks. */
  private long largestPart() {
    return Math.max(
        rows.count(), Math.ceilDiv(weight().spec().portion().whole().getFirst(), group.size()));
  }

  @Override
  protected Chunk chunk(Tensor projected, Tensor targets, @Nullable RowScale rowScale) {
    Dtype wide = wide(projected);
    Tensor target = Views.reshape(targets, -1, 1);
    Tensor logits = Copies.cast(projected, wide);
    Tensor counts = Copies.cast(Elementwise.atLeast(target, 0), wide);
    Tensor contained = rows.contains(target);
    Tensor place = rows.places(target, contained);
    Tensor here = Copies.cast(contained, wide);

    Tensor largest = Reductions.max(logits, true, 1);
    Elementwise.addInPlace(logits, Elementwise.neg(largest));
    Tensor exponentials = Elementwise.exp(logits);
    Tensor sum = Reductions.sum(exponentials, 1, true);
    Tensor ofTarget =
        Elementwise.mul(Elementwise.add(Indexing.gather(logits, 1, place), largest), here);
    logits.close();

    Tensor[] all = exchange(Copies.concatenate(1, largest, sum, ofTarget));
    Tensor maximum = Reductions.max(all[0], true, 0);
    Tensor weights = Elementwise.exp(Elementwise.add(all[0], maximum, -1));
    Tensor total = sumOverRanks(Elementwise.mul(all[1], weights));
    Tensor logTotal = Elementwise.add(Elementwise.log(total), flat(maximum));
    Tensor losses =
        Elementwise.mul(Elementwise.add(logTotal, sumOverRanks(all[2]), -1), flat(counts));
    if (rowScale == null) {
      return new Chunk(losses, null);
    }
    // d loss / d logits = (softmax − one-hot) · scale, and 0 in an ignored row.
    Tensor scale = rowScale.times(counts);
    Tensor ofAll =
        Elementwise.exp(
            Elementwise.add(Elementwise.add(flat(largest), flat(maximum), -1), log(total), -1));
    Elementwise.mulInPlace(exponentials, Elementwise.mul(Views.reshape(ofAll, -1, 1), scale));
    Indexing.scatterAdd(exponentials, 1, place, Elementwise.neg(Elementwise.mul(scale, here)));
    return new Chunk(losses, Copies.cast(exponentials, projected.dtype()));
  }

  private static Tensor log(Tensor x) {
    return Elementwise.log(x);
  }

  private static Tensor flat(Tensor column) {
    return Views.reshape(column, -1);
  }

  /** Three columns of every rank, {@code [n, 3] → 3 × [ranks, n]}. */
  private Tensor[] exchange(Tensor mine) {
    Tensor all = GatherRows.gathered(group, mine);
    Tensor byRank = Views.reshape(all, group.size(), mine.size(0), 3);
    Tensor[] columns = new Tensor[3];
    for (int i = 0; i < columns.length; i++) {
      columns[i] =
          Views.reshape(Copies.dense(Views.narrow(byRank, 2, i, 1)), group.size(), mine.size(0));
    }
    return columns;
  }

  /** {@code [ranks, n] → [n]}. */
  private static Tensor sumOverRanks(Tensor values) {
    return Reductions.sum(values, 0, false);
  }
}
