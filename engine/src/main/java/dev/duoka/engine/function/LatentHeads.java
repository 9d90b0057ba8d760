package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.HeadKernels;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * Builds the heads of multi-head latent attention (DeepSeek-V2, arXiv:2405.04434 §2.1): each query
 * and key is a content part and a rotated part, and the key's rotated part is shared by all heads.
 *
 * <p>Inputs: queries {@code [b·t, heads·(nope + rope)]}, the up-projected latent {@code [b·t,
 * heads·(nope + value)]}, and the shared key part {@code [b·t, rope]}. Outputs: query and key
 * {@code [b, heads, t, nope + rope]}, value {@code [b, heads, t, value]}. Queries may be of fewer
 * tokens than keys and values, when generating.
 */
public final class LatentHeads extends Function {
  /** Widths that are multiples of this are whole packs in every dtype. */
  private static final int PACK = 8;

  private final long batch;
  private final long nope;
  private final long rope;
  private final long valueWidth;
  private final long firstPosition;
  private final long firstKey;
  private final RotaryTable rotary;

  /**
   * As many heads of the given widths as the tensors hold.
   *
   * @param batch b, the number of sequences
   * @param nope the width of the part without position
   * @param rope the width of the rotated part
   * @param firstPosition the position of the first query
   * @param firstKey the position of the first key; the same where gradients are wanted
   */
  public LatentHeads(
      long batch,
      int nope,
      int rope,
      int valueWidth,
      RotaryTable rotary,
      long firstPosition,
      long firstKey) {
    this.batch = batch;
    this.nope = nope;
    this.rope = rope;
    this.valueWidth = valueWidth;
    this.rotary = rotary;
    this.firstPosition = firstPosition;
    this.firstKey = firstKey;
  }

  @Override
  public String name() {
    return "latent heads";
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor queries = split(inputs[0], nope + rope);
    Tensor latent = split(inputs[1], nope + valueWidth);
    HeadKernels.Rotation rotation = rotary.rotation(firstPosition);
    HeadKernels.Rotation keyRotation = rotary.rotation(firstKey);
    if (rotation != null
        && keyRotation != null
        && fits(queries, rotation)
        && inputs[1].isContiguous()) {
      // In place: the projected queries have no other reader, and nobody saved them.
      HeadKernels.rotate(queries, queries, rotation, 1);
      Tensor key = HeadKernels.latentKeys(latent, Views.dense(inputs[2]), nope, keyRotation);
      return new Tensor[] {
        Views.transpose(queries, 1, 2),
        Views.transpose(key, 1, 2),
        Views.transpose(Views.narrow(latent, 3, nope, valueWidth), 1, 2)
      };
    }
    Tensor shared = Views.reshape(Views.dense(inputs[2]), batch, -1, 1, rope);

    Tensor queryRotated = rotary.rotate(Views.narrow(queries, 3, nope, rope), firstPosition);
    Tensor keyRotated = Views.expand(rotary.rotate(shared, firstKey), 2, queries.size(2));
    Tensor query = Copies.concatenate(3, Views.narrow(queries, 3, 0, nope), queryRotated);
    Tensor key = Copies.concatenate(3, Views.narrow(latent, 3, 0, nope), keyRotated);
    Tensor value = Views.narrow(latent, 3, nope, valueWidth);
    return new Tensor[] {headsFirst(query), headsFirst(key), headsFirst(value)};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor query = tokensFirst(gradOutputs[0]);
    Tensor key = tokensFirst(gradOutputs[1]);
    Tensor value = tokensFirst(gradOutputs[2]);

    HeadKernels.Rotation rotation = rotary.rotation(firstPosition);
    if (rotation != null
        && HeadKernels.takeAnyLayout(query, rotation)
        && HeadKernels.takeAnyLayout(key, rotation)
        && HeadKernels.takeAnyLayout(value, rotation)
        && widthsFit()) {
      Tensor turned = Tensors.empty(query.dtype(), query.device(), query.shape());
      HeadKernels.rotate(query, turned, rotation, -1);
      Tensor[] gradients = HeadKernels.latentGradients(key, value, nope, rotation);
      return new @Nullable Tensor[] {join(turned), join(gradients[0]), gradients[1]};
    }
    Tensor queries =
        Copies.concatenate(
            3,
            Views.narrow(query, 3, 0, nope),
            rotary.rotateBack(Views.narrow(query, 3, nope, rope), firstPosition));
    Tensor latent = Copies.concatenate(3, Views.narrow(key, 3, 0, nope), value);
    Tensor shared =
        rotary.rotateBack(Reductions.sum(Views.narrow(key, 3, nope, rope), 2, true), firstPosition);
    return new @Nullable Tensor[] {join(queries), join(latent), Views.reshape(shared, -1, rope)};
  }

  private boolean fits(Tensor queries, HeadKernels.Rotation rotation) {
    return HeadKernels.take(queries, nope + rope, rotation) && widthsFit();
  }

  private boolean widthsFit() {
    return nope % PACK == 0 && valueWidth % PACK == 0;
  }

  private Tensor split(Tensor tensor, long width) {
    return Views.reshape(tensor, batch, tensor.size(0) / batch, -1, width);
  }

  private static Tensor join(Tensor tensor) {
    return Views.reshape(tensor, tensor.size(0) * tensor.size(1), tensor.size(2) * tensor.size(3));
  }

  private static Tensor headsFirst(Tensor tensor) {
    return Copies.dense(Views.transpose(tensor, 1, 2));
  }

  private static Tensor tokensFirst(@Nullable Tensor gradient) {
    if (gradient == null) {
      throw new IllegalStateException("attention uses query, key and value");
    }
    return Views.transpose(gradient, 1, 2);
  }
}
