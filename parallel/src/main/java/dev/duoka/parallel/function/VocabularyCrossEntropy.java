package dev.duoka.parallel.function;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.function.LinearCrossEntropy;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A {@link LinearCrossEntropy} whose vocabulary is cut over the tensor ranks: each has the logits
 * of its own tokens alone, in chunks of rows, and the ranks exchange three numbers for each row.
 * Every rank has the same loss; the gradient of the hidden states {@code [n, h]} is this rank's
 * part of a sum over the ranks. Collective in the forward pass.
 */
final class VocabularyCrossEntropy extends Function {
  /** Logits of one chunk take at most this many bytes in the wide dtype. */
  private static final long CHUNK_BYTES = 64L << 20;

  private final LinearCrossEntropy whole;
  private final Parameter weight;
  private final VocabularyRows rows;
  private final Communicator group;

  VocabularyCrossEntropy(LinearCrossEntropy whole, Communicator group) {
    this.whole = whole;
    this.weight = whole.parameters().getFirst();
    this.rows = VocabularyRows.of(weight);
    this.group = group;
  }

  @Override
  public String name() {
    return whole.name();
  }

  @Override
  public List<Parameter> parameters() {
    return whole.parameters();
  }

  @Override
  public double flops(Tensor[] inputs, Tensor[] outputs) {
    return whole.flops(inputs, outputs);
  }

  @Override
  public @Nullable ProductShape productShape(Tensor[] inputs) {
    return whole.productShape(inputs);
  }

  @Override
  public double inputGradientRatio() {
    return whole.inputGradientRatio();
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor hidden = inputs[0];
    boolean training = saved.isRecording();
    long count = hidden.size(0);
    Dtype wide = hidden.dtype() == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32;
    long chunk = Math.max(1, Math.min(count, CHUNK_BYTES / (wide.bytes() * largestPart())));
    Tensor loss = Tensors.zeros(wide, hidden.device(), 1);
    Tensor hiddenGradient =
        training ? Tensors.empty(hidden.dtype(), hidden.device(), hidden.shape()) : null;
    for (long start = 0; start < count; start += chunk) {
      long length = Math.min(chunk, count - start);
      try (Scope _ = Scope.open(MemoryOwner.LOGITS)) {
        Tensor part = Views.narrow(hidden, 0, start, length);
        Tensor target = Views.reshape(Views.narrow(whole.targets(), 0, start, length), -1, 1);
        Tensor gradient = chunk(part, target, loss, wide, training);
        if (hiddenGradient != null && gradient != null) {
          Products.mmInto(
              Views.narrow(hiddenGradient, 0, start, length), gradient, weight.value(), 0);
          if (weight.isTrainable()) {
            weight.addGradientProduct(gradient, part);
          }
        }
      }
    }
    if (hiddenGradient != null) {
      saved.save("hidden gradient", hiddenGradient);
    }
    return new Tensor[] {loss};
  }

  /** Of the rank with most of the vocabulary: chunks are the same on all ranks. */
  private long largestPart() {
    return Math.max(
        rows.count(), Math.ceilDiv(weight.spec().portion().whole().getFirst(), group.size()));
  }

  /** Adds a chunk's losses to {@code loss}; returns the gradient of its logits. */
  private @Nullable Tensor chunk(
      Tensor part, Tensor target, Tensor loss, Dtype wide, boolean training) {
    Tensor logits = Copies.cast(Products.mmTransposedB(part, weight.value()), wide);
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
    Tensor losses = Elementwise.add(logTotal, sumOverRanks(all[2]), -1);
    Elementwise.addInPlace(
        loss, Views.reshape(Reductions.sum(Elementwise.mul(losses, flat(counts))), 1));
    if (!training) {
      return null;
    }
    // d loss / d logits = (softmax − one-hot) · scale, and 0 in an ignored row.
    Tensor scale = Elementwise.mul(counts, whole.gradientScale());
    Tensor ofAll =
        Elementwise.exp(
            Elementwise.add(Elementwise.add(flat(largest), flat(maximum), -1), log(total), -1));
    Elementwise.mulInPlace(exponentials, Elementwise.mul(Views.reshape(ofAll, -1, 1), scale));
    Indexing.scatterAdd(exponentials, 1, place, Elementwise.neg(Elementwise.mul(scale, here)));
    return Copies.cast(exponentials, part.dtype());
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

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    return new @Nullable Tensor[] {saved.get("hidden gradient").share()};
  }
}
