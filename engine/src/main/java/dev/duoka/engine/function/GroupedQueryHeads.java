package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.HeadKernels;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * Splits the joint projection of grouped-query attention (Ainslie et al., arXiv:2305.13245) into
 * heads and rotates query and key: {@code [b·t, (heads + 2·kvHeads)·width] →} query {@code [b,
 * heads, t, width]}, key and value {@code [b, kvHeads, t, width]}.
 */
public final class GroupedQueryHeads extends Function {
  private final long batch;
  private final int queriesPerKey;
  private final long width;
  private final long firstPosition;
  private final RotaryTable rotary;

  /**
   * A split into as many heads as the projection holds.
   *
   * @param batch b, the number of sequences
   * @param queriesPerKey query heads for each head of keys and values
   * @param width of a head
   * @param firstPosition the position of the first token of the sequence
   */
  public GroupedQueryHeads(
      long batch, int queriesPerKey, long width, RotaryTable rotary, long firstPosition) {
    this.batch = batch;
    this.queriesPerKey = queriesPerKey;
    this.width = width;
    this.rotary = rotary;
    this.firstPosition = firstPosition;
  }

  /** The same split of a projection that holds a part of the heads. */
  public GroupedQueryHeads withQueriesPerKey(int ofPart) {
    return new GroupedQueryHeads(batch, ofPart, width, rotary, firstPosition);
  }

  /** Query heads for each head of keys and values. */
  public int queriesPerKey() {
    return queriesPerKey;
  }

  @Override
  public String name() {
    return "grouped-query heads";
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor joint = inputs[0];
    long kvHeads = joint.size(-1) / width / (queriesPerKey + 2);
    long heads = kvHeads * queriesPerKey;
    Tensor split = Views.reshape(joint, batch, -1, heads + 2 * kvHeads, width);
    HeadKernels.Rotation rotation = rotary.rotation(firstPosition);
    if (rotation != null && HeadKernels.take(joint, width, rotation)) {
      // In place: the joint projection has no other reader, and nobody saved it.
      Tensor rotated = Views.narrow(split, 2, 0, heads + kvHeads);
      HeadKernels.rotate(rotated, rotated, rotation, 1);
      return new Tensor[] {
        Views.transpose(Views.narrow(split, 2, 0, heads), 1, 2),
        Views.transpose(Views.narrow(split, 2, heads, kvHeads), 1, 2),
        Views.transpose(Views.narrow(split, 2, heads + kvHeads, kvHeads), 1, 2)
      };
    }
    Tensor value = Views.narrow(split, 2, heads + kvHeads, kvHeads);
    return new Tensor[] {
      rotated(Views.narrow(split, 2, 0, heads)),
      rotated(Views.narrow(split, 2, heads, kvHeads)),
      Copies.dense(Views.transpose(value, 1, 2))
    };
  }

  /** {@code [b, t, heads, width] → [b, heads, t, width]}, dense. */
  private Tensor rotated(Tensor part) {
    Tensor result =
        Tensors.empty(part.dtype(), part.device(), batch, part.size(2), part.size(1), part.size(3));
    rotary.rotateInto(Views.transpose(result, 1, 2), part, firstPosition, 1);
    return result;
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    HeadKernels.Rotation rotation = rotary.rotation(firstPosition);
    Tensor query = heads(gradOutputs[0]);
    Tensor key = heads(gradOutputs[1]);
    Tensor value = heads(gradOutputs[2]);
    if (rotation != null
        && HeadKernels.takeAnyLayout(query, rotation)
        && HeadKernels.takeAnyLayout(key, rotation)
        && HeadKernels.takeAnyLayout(value, rotation)) {
      return new @Nullable Tensor[] {jointGradient(query, key, value, rotation)};
    }
    long heads = query.size(1);
    long kvHeads = key.size(1);
    Tensor joint = emptyJoint(query, kvHeads);
    rotary.rotateInto(
        Views.narrow(joint, 2, 0, heads), Views.transpose(query, 1, 2), firstPosition, -1);
    rotary.rotateInto(
        Views.narrow(joint, 2, heads, kvHeads), Views.transpose(key, 1, 2), firstPosition, -1);
    Copies.into(Views.narrow(joint, 2, heads + kvHeads, kvHeads), Views.transpose(value, 1, 2));
    return new @Nullable Tensor[] {flat(joint)};
  }

  /** {@code [b, t, heads + 2·kvHeads, width]} for a query gradient. */
  private Tensor emptyJoint(Tensor query, long kvHeads) {
    return Tensors.empty(
        query.dtype(),
        query.device(),
        batch,
        query.size(2),
        query.size(1) + 2 * kvHeads,
        query.size(3));
  }

  private static Tensor flat(Tensor joint) {
    return Views.reshape(joint, joint.size(0) * joint.size(1), joint.size(2) * joint.size(3));
  }

  /** One pass over each gradient: rotated back and put beside the others. */
  private Tensor jointGradient(
      Tensor query, Tensor key, Tensor value, HeadKernels.Rotation rotation) {
    long heads = query.size(1);
    long kvHeads = key.size(1);
    Tensor joint = emptyJoint(query, kvHeads);
    HeadKernels.rotate(
        Views.transpose(query, 1, 2), Views.narrow(joint, 2, 0, heads), rotation, -1);
    HeadKernels.rotate(
        Views.transpose(key, 1, 2), Views.narrow(joint, 2, heads, kvHeads), rotation, -1);
    HeadKernels.copy(
        Views.transpose(value, 1, 2), Views.narrow(joint, 2, heads + kvHeads, kvHeads), rotation);
    return flat(joint);
  }

  private static Tensor heads(@Nullable Tensor gradient) {
    if (gradient == null) {
      throw new IllegalStateException("attention uses query, key and value");
    }
    return gradient;
  }
}
