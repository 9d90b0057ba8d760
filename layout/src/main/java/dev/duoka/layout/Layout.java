package dev.duoka.layout;

/**
 * How a step is spread over ranks and what is kept where.
 *
 * <p>Ranks are {@code data × tensor × pipeline × context}; the expert axis divides the experts over
 * {@code expert} of the ranks within a pipeline stage.
 *
 * @param data data-parallel ranks
 * @param tensor ranks that share every product of a layer, with sequence parallelism
 * @param pipeline stages
 * @param expert ranks over which the experts are spread
 * @param context ranks that share every sequence
 * @param zero ZeRO stage: 0 shards nothing, 1 the optimizer's states, 2 gradients too, 3 weights
 *     too
 * @param microBatch sequences that a rank computes at once
 * @param accumulation micro-batches of a step
 * @param recompute what the backward pass computes again
 * @param offload what lives in host memory
 * @param loss how the loss is computed
 * @param precision arithmetic
 * @param method which weights are trained
 * @param states in which form gradients and the optimizer's states are kept
 * @param order in which the stages of a pipeline work; the default where there is one stage
 * @param replicate groups of data-parallel ranks that share states out among themselves alone, one
 *     for each machine, say; divides {@code data}
 * @param offloadUpdate where the optimizer's states are updated that live in host memory; always
 *     the device where none do, and the host where weights do, too
 * @param blocksPerBucket decoder layers whose weights lie in one bucket: are gathered, and have
 *     their gradients summed, by one exchange
 */
public record Layout(
    int data,
    int tensor,
    int pipeline,
    int expert,
    int context,
    int zero,
    int microBatch,
    int accumulation,
    Recompute recompute,
    Offload offload,
    LossKind loss,
    Precision precision,
    Method method,
    StateForm states,
    PipelineOrder order,
    int replicate,
    OffloadUpdate offloadUpdate,
    int blocksPerBucket,
    double offloadFraction) {
  public Layout {
    offloadUpdate =
        switch (offload) {
          case NONE -> OffloadUpdate.DEVICE;
          case OPTIMIZER -> offloadUpdate;
          case PARAMETERS -> OffloadUpdate.HOST;
        };
    boolean passes = offload == Offload.OPTIMIZER && offloadUpdate == OffloadUpdate.DEVICE;
    offloadFraction = passes ? offloadFraction : 1;
  }

  /** A layout that puts all states away, if any. */
  public Layout(
      int data,
      int tensor,
      int pipeline,
      int expert,
      int context,
      int zero,
      int microBatch,
      int accumulation,
      Recompute recompute,
      Offload offload,
      LossKind loss,
      Precision precision,
      Method method,
      StateForm states,
      PipelineOrder order,
      int replicate,
      OffloadUpdate offloadUpdate,
      int blocksPerBucket) {
    this(
        data,
        tensor,
        pipeline,
        expert,
        context,
        zero,
        microBatch,
        accumulation,
        recompute,
        offload,
        loss,
        precision,
        method,
        states,
        order,
        replicate,
        offloadUpdate,
        blocksPerBucket,
        1);
  }

  /** A layout with a bucket for each block. */
  public Layout(
      int data,
      int tensor,
      int pipeline,
      int expert,
      int context,
      int zero,
      int microBatch,
      int accumulation,
      Recompute recompute,
      Offload offload,
      LossKind loss,
      Precision precision,
      Method method,
      StateForm states,
      PipelineOrder order,
      int replicate,
      OffloadUpdate offloadUpdate) {
    this(
        data,
        tensor,
        pipeline,
        expert,
        context,
        zero,
        microBatch,
        accumulation,
        recompute,
        offload,
        loss,
        precision,
        method,
        states,
        order,
        replicate,
        offloadUpdate,
        1);
  }

  /** A layout whose states are updated on the device. */
  public Layout(
      int data,
      int tensor,
      int pipeline,
      int expert,
      int context,
      int zero,
      int microBatch,
      int accumulation,
      Recompute recompute,
      Offload offload,
      LossKind loss,
      Precision precision,
      Method method,
      StateForm states,
      PipelineOrder order,
      int replicate) {
    this(
        data,
        tensor,
        pipeline,
        expert,
        context,
        zero,
        microBatch,
        accumulation,
        recompute,
        offload,
        loss,
        precision,
        method,
        states,
        order,
        replicate,
        OffloadUpdate.DEVICE);
  }

  /** A layout whose data-parallel ranks all share with each other. */
  public Layout(
      int data,
      int tensor,
      int pipeline,
      int expert,
      int context,
      int zero,
      int microBatch,
      int accumulation,
      Recompute recompute,
      Offload offload,
      LossKind loss,
      Precision precision,
      Method method,
      StateForm states,
      PipelineOrder order) {
    this(
        data,
        tensor,
        pipeline,
        expert,
        context,
        zero,
        microBatch,
        accumulation,
        recompute,
        offload,
        loss,
        precision,
        method,
        states,
        order,
        1);
  }

  /** A layout with everything kept in fp32. */
  public Layout(
      int data,
      int tensor,
      int pipeline,
      int expert,
      int context,
      int zero,
      int microBatch,
      int accumulation,
      Recompute recompute,
      Offload offload,
      LossKind loss,
      Precision precision,
      Method method) {
    this(
        data,
        tensor,
        pipeline,
        expert,
        context,
        zero,
        microBatch,
        accumulation,
        recompute,
        offload,
        loss,
        precision,
        method,
        StateForm.FULL);
  }

  /** A layout whose stages work in the usual order. */
  public Layout(
      int data,
      int tensor,
      int pipeline,
      int expert,
      int context,
      int zero,
      int microBatch,
      int accumulation,
      Recompute recompute,
      Offload offload,
      LossKind loss,
      Precision precision,
      Method method,
      StateForm states) {
    this(
        data,
        tensor,
        pipeline,
        expert,
        context,
        zero,
        microBatch,
        accumulation,
        recompute,
        offload,
        loss,
        precision,
        method,
        states,
        PipelineOrder.DEFAULT);
  }

  /** GPUs that it uses. */
  public int gpus() {
    return data * tensor * pipeline * context;
  }

  /** Ranks that hold the same dense weights and share them out: what ZeRO shards these over. */
  public int replicas() {
    return data * context / replicate;
  }

  /** Ranks that hold the same experts and share them out: what ZeRO shards these over. */
  public int expertReplicas() {
    return Math.max(1, data * context * tensor / expert / replicate);
  }

  /**
   * The same with nothing sharded or away, and a bucket for each layer: what layouts have in common
   * that differ in that.
   */
  public Layout withoutStates() {
    return with(0, Offload.NONE, StateForm.FULL).inBucketsOf(1);
  }

  /** The same mesh and step with states shared, kept and put away otherwise. */
  public Layout with(int otherZero, Offload otherOffload, StateForm form) {
    return with(otherZero, otherOffload, offloadUpdate, form);
  }

  /** The same with states that are put away and updated otherwise, too. */
  public Layout with(int otherZero, Offload otherOffload, OffloadUpdate update, StateForm form) {
    return new Layout(
        data,
        tensor,
        pipeline,
        expert,
        context,
        otherZero,
        microBatch,
        accumulation,
        recompute,
        otherOffload,
        loss,
        precision,
        method,
        form,
        order,
        replicate,
        update,
        blocksPerBucket,
        offloadFraction);
  }

  /** The same step on another mesh of as many data ranks. */
  public Layout with(int otherTensor, int otherPipeline, int otherExpert, int otherContext) {
    return new Layout(
        data,
        otherTensor,
        otherPipeline,
        otherExpert,
        otherContext,
        zero,
        microBatch,
        accumulation,
        recompute,
        offload,
        loss,
        precision,
        method,
        states,
        order,
        replicate,
        offloadUpdate,
        blocksPerBucket,
        offloadFraction);
  }

  /** The same whose stages work in another order. */
  public Layout with(PipelineOrder other) {
    return new Layout(
        data,
        tensor,
        pipeline,
        expert,
        context,
        zero,
        microBatch,
        accumulation,
        recompute,
        offload,
        loss,
        precision,
        method,
        states,
        other,
        replicate,
        offloadUpdate,
        blocksPerBucket,
        offloadFraction);
  }

  /** The same with another recompute and in another arithmetic. */
  public Layout with(Recompute otherRecompute, Precision otherPrecision) {
    return new Layout(
        data,
        tensor,
        pipeline,
        expert,
        context,
        zero,
        microBatch,
        accumulation,
        otherRecompute,
        offload,
        loss,
        otherPrecision,
        method,
        states,
        order,
        replicate,
        offloadUpdate,
        blocksPerBucket,
        offloadFraction);
  }

  /** The same with so many decoder layers in a bucket. */
  public Layout inBucketsOf(int blocks) {
    return new Layout(
        data,
        tensor,
        pipeline,
        expert,
        context,
        zero,
        microBatch,
        accumulation,
        recompute,
        offload,
        loss,
        precision,
        method,
        states,
        order,
        replicate,
        offloadUpdate,
        blocks,
        offloadFraction);
  }

  /** The same with another part of the states away. */
  public Layout offloading(double fraction) {
    return new Layout(
        data,
        tensor,
        pipeline,
        expert,
        context,
        zero,
        microBatch,
        accumulation,
        recompute,
        offload,
        loss,
        precision,
        method,
        states,
        order,
        replicate,
        offloadUpdate,
        blocksPerBucket,
        fraction);
  }

  /**
   * Whether some ranks hold the same weights, so that buckets are exchanged between them: all that
   * a pipeline does not cut.
   */
  public boolean exchangesBuckets() {
    return exchangesBuckets(data, context, tensor);
  }

  /** As {@link #exchangesBuckets()}, of so many ranks along each axis. */
  public static boolean exchangesBuckets(int data, int context, int tensor) {
    return data * context * tensor > 1;
  }

  /** Whether the host's processors update the optimizer's states. */
  public boolean updatesOnHost() {
    return offloadUpdate == OffloadUpdate.HOST;
  }

  /** Axes that are in use. */
  public int axes() {
    return (data > 1 ? 1 : 0)
        + (tensor > 1 ? 1 : 0)
        + (pipeline > 1 ? 1 : 0)
        + (expert > 1 ? 1 : 0)
        + (context > 1 ? 1 : 0)
        + (replicate > 1 ? 1 : 0);
  }

  /** For example {@code data 4 × tensor 2, ZeRO 1, micro-batch 2 × 16, recompute selective}. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("data ").append(data);
    axis(text, "tensor", tensor);
    axis(text, "pipeline", pipeline);
    axis(text, "context", context);
    if (!order.equals(PipelineOrder.DEFAULT)) {
      text.append(", ").append(order);
    }
    if (expert > 1) {
      text.append(", expert ").append(expert);
    }
    text.append(", ZeRO ").append(zero);
    if (replicate > 1) {
      text.append(" within each of ").append(replicate).append(" replicas");
    }
    if (blocksPerBucket > 1) {
      text.append(", buckets of ").append(blocksPerBucket).append(" blocks");
    }
    text.append(", micro-batch ").append(microBatch).append(" × ").append(accumulation);
    if (recompute != Recompute.NONE) {
      text.append(", recompute ").append(recompute);
    }
    if (offload != Offload.NONE) {
      text.append(", offload ").append(offload);
      text.append(offloadFraction < 1 ? " (" + Math.round(100 * offloadFraction) + " %)" : "");
      text.append(offload == Offload.OPTIMIZER && updatesOnHost() ? ", updated on the host" : "");
    }
    if (loss != LossKind.CHUNKED) {
      text.append(", loss ").append(loss);
    }
    text.append(", ").append(precision);
    if (!states.equals(StateForm.FULL)) {
      text.append(", ").append(states);
    }
    return method == Method.FULL ? text.toString() : text.append(", ").append(method).toString();
  }

  private static void axis(StringBuilder text, String name, int size) {
    if (size > 1) {
      text.append(" × ").append(name).append(' ').append(size);
    }
  }
}
